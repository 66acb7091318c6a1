"""What a frozen program needs of ``laps`` beside what its imports show: the policy, script and
styles that lie beside its modules."""

from PyInstaller.utils.hooks import collect_data_files  # type: ignore[import-untyped]

datas = collect_data_files("laps")
