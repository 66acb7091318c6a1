//! Exchanges sealed records with another implementation: `make FOLDER SEED` writes cases, `check
//! FOLDER` runs those that somebody else wrote (`core/src/seal/FORMAT.md` §13).

#[path = "../tests/seal/cases.rs"]
mod cases;
#[path = "../tests/seal/make.rs"]
mod make;

use core::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", folder, seed] => {
            let files = make::all(seed.parse()?);
            for (name, text) in &files {
                let path = Path::new(folder).join(name);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(path, text)?;
            }
            println!("{} files written to {folder}", files.len());
            Ok(())
        }
        ["check", folder] => match cases::run_all(Path::new(folder))? {
            0 => Err(format!("there are no cases in {folder}").into()),
            count => {
                println!("{count} cases of {folder} hold");
                Ok(())
            }
        },
        _ => Err("use: seal_vectors make FOLDER SEED | seal_vectors check FOLDER".into()),
    }
}
