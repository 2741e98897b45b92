//! How many bytes the kernel still has for the peer of a socket.

use tokio::net::TcpStream;

/// Returns the bytes that the kernel has and the peer has not acknowledged. Zero if the kernel does
/// not tell.
///
/// This is `SIOCOUTQ` (`man 7 tcp`). For a Unix socket it includes the kernel's overhead, and falls
/// when the peer reads.
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

/// Returns zero: this system does not tell. A write that succeeds then counts as progress.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_: &TcpStream) -> usize {
    0
}
