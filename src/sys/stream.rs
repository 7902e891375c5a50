//! Blocking access to the standard streams. The parent process may have made them non-blocking, so
//! a call that is not ready waits.

use std::io::{self, BufRead, ErrorKind, Read, Write};
#[cfg(unix)]
use std::os::fd::AsFd;

/// A stream that waits until it is ready.
pub(super) struct Patient<S>(pub(super) S);

/// The direction to wait for.
#[derive(Clone, Copy)]
pub(super) enum End {
    Read,
    #[cfg(unix)]
    Write,
}

#[cfg(unix)]
impl<S: AsFd> Patient<S> {
    /// Runs `step`; while the stream is not ready, waits and runs it again.
    pub(super) fn wait<T>(
        &self,
        end: End,
        mut step: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        use rustix::event::{PollFd, PollFlags, poll};
        let events = match end {
            End::Read => PollFlags::IN,
            End::Write => PollFlags::OUT,
        };
        loop {
            match step() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    match poll(&mut [PollFd::new(&self.0, events)], None) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                done => return done,
            }
        }
    }
}

/// On Windows, pipes and consoles block.
#[cfg(not(unix))]
impl<S> Patient<S> {
    pub(super) fn wait<T>(
        &self,
        _end: End,
        mut step: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        step()
    }
}

/// Unbuffered, because after an error it is unknown how much of a buffer was written.
#[cfg(unix)]
impl<S: AsFd> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(End::Write, || Ok(rustix::io::write(&self.0, bytes)?))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
impl<S: Write> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads standard input to its end, at most `limit` bytes.
pub(super) fn stdin_to_end(limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut input = io::stdin().take(limit);
    Patient(io::stdin()).wait(End::Read, || input.read_to_end(&mut bytes))?;
    Ok(bytes)
}

/// Reads a line of standard input; empty at its end.
pub(super) fn stdin_line() -> io::Result<String> {
    let mut line = Vec::new();
    // Bytes, because a non-blocking read may end within a character.
    Patient(io::stdin()).wait(End::Read, || io::stdin().lock().read_until(b'\n', &mut line))?;
    String::from_utf8(line)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}
