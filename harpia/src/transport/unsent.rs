//! How many bytes the kernel still has for the peer of a socket.

use tokio::net::TcpStream;

/// Returns how many bytes the kernel has that the peer has not acknowledged, or zero if the kernel
/// does not report the number.
///
/// This is `SIOCOUTQ` (`man 7 tcp`). For a Unix socket, the number includes the kernel's overhead,
/// and falls when the peer reads.
#[cfg(target_os = "linux")]
pub(crate) fn of(socket: &TcpStream) -> usize {
    use std::os::fd::AsRawFd;

    let mut unsent: libc::c_int = 0;
    // `SIOCOUTQ` has the number of `TIOCOUTQ`.
    //
    // SAFETY: the descriptor is open while `socket` is borrowed. For this opcode, the kernel writes
    // one `int` to the address.
    #[expect(unsafe_code, reason = "no safe function of a crate has this request")]
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut unsent) };
    match result {
        0 => usize::try_from(unsent).unwrap_or(0),
        _ => 0,
    }
}

/// Returns zero: this system does not report the number. Each write that succeeds then counts as
/// progress.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_: &TcpStream) -> usize {
    0
}
