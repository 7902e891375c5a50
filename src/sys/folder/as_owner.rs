//! Root creates a folder as the owner of the folder around it.

#[cfg(target_os = "linux")]
use rustix::process::{Gid, Uid};
#[cfg(target_os = "linux")]
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

/// Gives this thread the effective user and group of a folder's owner until this is dropped.
///
/// A folder that root creates there then belongs to the owner from the start. A later chown would
/// be a race: the owner could replace the folder before it.
#[cfg(target_os = "linux")]
pub(super) struct AsOwner(Gid);

#[cfg(target_os = "linux")]
impl AsOwner {
    /// If the change of user is not allowed, root creates the folder and stays its owner.
    pub(super) fn take(uid: u32, gid: u32) -> Self {
        let before = Self(rustix::process::getegid());
        let _ = set_thread_res_gid(None::<Gid>, Gid::from_raw(gid), None::<Gid>);
        let _ = set_thread_res_uid(None::<Uid>, Uid::from_raw(uid), None::<Uid>);
        before
    }
}

#[cfg(target_os = "linux")]
impl Drop for AsOwner {
    fn drop(&mut self) {
        let _ = set_thread_res_uid(None::<Uid>, Uid::ROOT, None::<Uid>);
        let _ = set_thread_res_gid(None::<Gid>, self.0, None::<Gid>);
    }
}

/// Outside Linux a thread has no effective user of its own: what root creates stays root's.
#[cfg(not(target_os = "linux"))]
pub(super) struct AsOwner;

#[cfg(not(target_os = "linux"))]
impl AsOwner {
    pub(super) fn take(_uid: u32, _gid: u32) -> Self {
        Self
    }
}
