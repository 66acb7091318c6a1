//! Removing a reader (protocol §4.3): what it would take is asked before, what it can open is
//! ordered to rotate, and what came in beside the removal is looked at after it.

use alloc::{format, string::String, string::ToString as _, vec::Vec};

use crate::identity::{DeviceId, Scope, Timestamp};
use crate::seal::{MAX_READERS, ReaderId};

use super::audit::{Action, Entry};
use super::checksum::digest;
use super::plan::{DeviceRange, Plan};
use super::readers::{KnownReader, Readers};
use super::rows::Ordered;
use super::rules::Loss;
use super::store::Store;
use super::unit::Stop;
use super::{AuditHead, Confirmation, Request, Vault, VaultError};

/// How many devices one transaction looks at.
const PAGE: usize = 1_000;

/// What a removal would take, and which readers were active when that was counted.
struct RemovalCount {
    loss: Loss,
    active: Vec<[u8; 32]>,
}

/// What a pass over the scope does on behalf of a removal.
#[derive(Clone, Copy)]
struct Pass<'a> {
    reader: &'a ReaderId,
    /// Orders what the reader can open, spread over these seconds; none: no order.
    window: Option<u64>,
    request: &'a Request<'a>,
    now: Timestamp,
}

impl<S: Store> Vault<S> {
    /// Orders the rotation of what a reader can open, spread over `window` seconds from now (0: at
    /// once; none: no order), and removes it. What it has a copy of stays readable to it.
    ///
    /// The orders come first, a thousand devices in each transaction, then the removal in one, then
    /// the orders for what came in meanwhile: once the reader is gone from the records, re-sealing
    /// would hide what it could open. When it fails or is killed, call it again, or
    /// [`Vault::order_readable`] when the reader is removed already: nothing is ordered twice.
    ///
    /// Others may change readers and store records beside it. The transaction that removes the
    /// reader asks whether the active readers are still those that the loss was counted with; if
    /// not, it is counted again. Without the word, a record that came in beside the removal and
    /// that nobody else can open takes the removal back: the audit log has both, and the answer is
    /// `WouldLose`.
    ///
    /// # Errors
    /// `NotFound`, `ConfirmationRequired` for the last reader, `WouldLose` when passwords in use
    /// name no other active reader, `ReasonRequired`, and what the store says.
    pub fn remove_reader(
        &self,
        scope: &Scope,
        reader: &ReaderId,
        window: Option<u64>,
        confirmation: Confirmation,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let asks = confirmation == Confirmation::NotGiven;
        let count = || asks.then(|| self.count_loss(scope, reader)).transpose();
        let mut counted = count()?;
        self.audited(Plan::of(scope), request, "", "remove a reader", now, |rows| {
            removable(&mut rows.readers()?.clone(), reader, asks)?;
            Ok(counted.as_ref().map_or(Ok(()), |counted| refuse(counted.loss))?)
        })?;
        let pass = Pass { reader, window, request, now };
        let mut before = 0;
        if window.is_some() {
            before = self.go_over(scope, pass, None)?.0.devices;
        }
        let head = loop {
            match self.take_out(scope, pass, counted.as_ref())? {
                Some(head) => break head,
                None => counted = count()?,
            }
        };
        if !asks && window.is_none() {
            return Ok(Ordered { devices: 0, entry: head.length, head });
        }
        let (ordered, loss) = self.go_over(scope, pass, Some(head))?;
        if asks && let Err(error) = refuse(loss) {
            self.undo(scope, pass, loss)?;
            return Err(error);
        }
        Ok(Ordered { devices: ordered.devices.saturating_add(before), ..ordered })
    }

    /// What the removal of a reader would leave without an active reader: the question to ask
    /// before it. Costs grow with the scope.
    ///
    /// # Errors
    /// What the store says.
    pub fn reader_loss(&self, scope: &Scope, reader: &ReaderId) -> Result<Loss, VaultError> {
        Ok(self.count_loss(scope, reader)?.loss)
    }

    /// The same, counted with the same active readers on every page.
    fn count_loss(&self, scope: &Scope, reader: &ReaderId) -> Result<RemovalCount, VaultError> {
        loop {
            let (mut loss, mut active, mut same) = (Loss::default(), None, true);
            self.each_page(scope, PAGE, |page, readers| {
                let ids = readers.active_ids();
                same &= *active.get_or_insert_with(|| ids.clone()) == ids;
                for device in page.iter().filter_map(|stored| stored.device.as_ref().ok()) {
                    loss.add(device, readers, reader.as_bytes());
                }
            })?;
            if same {
                return Ok(RemovalCount { loss, active: active.unwrap_or_default() });
            }
        }
    }

    /// Orders the rotation of every candidate that a reader can open, spread over `window` seconds
    /// from now. A thousand devices in each transaction; nothing is ordered twice.
    ///
    /// # Errors
    /// `ReasonRequired`, and what the store says.
    pub fn order_readable(
        &self,
        scope: &Scope,
        reader: &ReaderId,
        window: u64,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ordered, VaultError> {
        let pass = Pass { reader, window: Some(window), request, now };
        Ok(self.go_over(scope, pass, None)?.0)
    }

    /// Removes the reader. None, and nothing is written, when the loss was counted with other
    /// active readers than those of now.
    fn take_out(
        &self,
        scope: &Scope,
        pass: Pass<'_>,
        counted: Option<&RemovalCount>,
    ) -> Result<Option<AuditHead>, VaultError> {
        let Pass { reader, window, request, now } = pass;
        let attempt = "remove a reader";
        let (out, appended) = self.audited(Plan::of(scope), request, "", attempt, now, |rows| {
            let mut known = rows.readers()?.clone();
            let active = known.active_ids();
            let removed = removable(&mut known, reader, counted.is_some())?;
            if let Some(counted) = counted {
                if counted.active != active {
                    return Ok(false);
                }
                refuse(counted.loss)?;
            }
            removed.removed = Some(now);
            rows.put_readers(known);
            let detail = match window {
                Some(window) => format!("{reader}, and rotation within {window} s"),
                None => format!("{reader}, without rotation"),
            };
            rows.append(Entry { detail, ..request.entry(Action::ReaderRemoved, "", now) });
            Ok(true)
        })?;
        out.then(|| appended.head()).transpose()
    }

    /// Takes a removal back, unless somebody added the reader again already.
    fn undo(&self, scope: &Scope, pass: Pass<'_>, loss: Loss) -> Result<(), VaultError> {
        let Pass { reader, request, now, .. } = pass;
        let attempt = "take the removal of a reader back";
        self.audited(Plan::of(scope), request, "", attempt, now, |rows| {
            let mut known = rows.readers()?.clone();
            let room = known.active().count() < MAX_READERS;
            if let Some(removed) = find(&mut known, reader, |known| known.removed == Some(now)) {
                if !room {
                    return Err(Stop::Refused(VaultError::InvalidArgument(
                        "a reader beyond the sixteenth; a record can be sealed to 16",
                    )));
                }
                removed.removed = None;
                rows.put_readers(known);
                let mut entry = request.entry(Action::ReaderAdded, "", now);
                let Loss { records, devices } = loss;
                entry.detail = format!(
                    "{reader}, taken back: nobody else can open {records} records of {devices} \
                     devices"
                );
                rows.append(entry);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Goes over every device: orders what the reader can open, and counts what nobody else can.
    /// With the head of an entry that says already what is done, a page without an order is no
    /// entry of its own.
    ///
    /// Each page is locked: whoever stored a record without knowing of a removal before this is
    /// done by then, and what he stored is seen.
    fn go_over(
        &self,
        scope: &Scope,
        pass: Pass<'_>,
        mut said: Option<AuditHead>,
    ) -> Result<(Ordered, Loss), VaultError> {
        let Pass { reader, window, request, now } = pass;
        let mut devices = 0_u64;
        let mut total = Loss::default();
        let mut after: Option<String> = None;
        loop {
            let range = DeviceRange::by_name(after.as_deref(), PAGE);
            let ((next, ordered, loss), appended) = self.audited(
                Plan::page(scope, &range),
                request,
                "",
                "order rotations",
                now,
                |rows| {
                    let readers = rows.readers()?.clone();
                    let mut before = readers.clone();
                    if let Some(removed) = find(&mut before, reader, |_| true) {
                        removed.removed = None;
                    }
                    let page = rows.names(&range)?;
                    let (mut ordered, mut loss) = (0_u64, Loss::default());
                    for name in &page {
                        let Ok(device) = &rows.stored(name)?.device else { continue };
                        loss.add(device, &before, reader.as_bytes());
                        let Some(window) = window else { continue };
                        let mut device = device.clone();
                        let delay = spread(name, window);
                        if device.order_readable_by(reader.as_bytes(), &readers, now, delay) {
                            rows.put_device(name, device);
                            ordered = ordered.saturating_add(1);
                        }
                    }
                    if said.is_none() || ordered > 0 {
                        let mut entry = request.entry(Action::RotationOrdered, "", now);
                        entry.detail = format!("what reader {reader} can open: {ordered} devices");
                        rows.append(entry);
                    }
                    let next = page.last().filter(|_| page.len() >= PAGE);
                    Ok((next.map(DeviceId::to_string), ordered, loss))
                },
            )?;
            devices = devices.saturating_add(ordered);
            total.records = total.records.saturating_add(loss.records);
            total.devices = total.devices.saturating_add(loss.devices);
            let head = match said {
                Some(said) if ordered == 0 => said,
                Some(_) | None => appended.head()?,
            };
            said = said.map(|_| head);
            if next.is_none() {
                return Ok((Ordered { devices, entry: head.length, head }, total));
            }
            after = next;
        }
    }
}

/// A loss is asked about.
const fn refuse(loss: Loss) -> Result<(), VaultError> {
    let Loss { records, devices } = loss;
    if records > 0 { Err(VaultError::WouldLose { records, devices }) } else { Ok(()) }
}

fn find<'a>(
    known: &'a mut Readers,
    reader: &ReaderId,
    which: impl Fn(&KnownReader) -> bool,
) -> Option<&'a mut KnownReader> {
    known.known.iter_mut().find(|known| known.id == *reader.as_bytes() && which(known))
}

/// Where in the window a device has its turn: always the same place, evenly over the devices.
fn spread(device: &DeviceId, window: u64) -> u64 {
    let place = u64::from(u32::from_be_bytes(digest(device.as_str().as_bytes())));
    place.saturating_mul(window) >> 32
}

/// The reader, if it is there and may be removed; without the word the last one may not.
fn removable<'a>(
    known: &'a mut Readers,
    reader: &ReaderId,
    asks: bool,
) -> Result<&'a mut KnownReader, VaultError> {
    let last = known.active().count() == 1;
    let found = find(known, reader, |known| known.removed.is_none());
    let found = found.ok_or(VaultError::NotFound("reader"))?;
    if last && asks {
        return Err(VaultError::ConfirmationRequired(
            "this is the last reader: without one nobody can open what is stored from now on",
        ));
    }
    Ok(found)
}
