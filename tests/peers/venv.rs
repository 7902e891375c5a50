use std::path::PathBuf;

/// A program of the Python environment at `AZT_TEST_VENV`, else at `target/venv`.
pub fn program(name: &str) -> PathBuf {
    let venv = std::env::var_os("AZT_TEST_VENV")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../venv"), PathBuf::from);
    let path = venv.join("bin").join(name);
    assert!(path.exists(), "there is no {}: run tests/run, which installs it", path.display());
    path
}
