//! Whether the peer of a socket has reset its connection.

use tokio::net::TcpStream;

/// Returns whether the connection of a socket is over: the peer has reset it, or it has failed.
///
/// That a peer has ended only its own side does not count, because it may still read. Reading would
/// not tell: data that came before the reset is read first. The look does not take the socket's
/// error away from the next read or write.
#[cfg(target_os = "linux")]
pub(super) fn has_hung_up(socket: &TcpStream) -> bool {
    use std::os::fd::AsRawFd;

    let mut entry = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: 0,
        revents: 0,
    };
    // SAFETY: the descriptor is open while `socket` is borrowed. The kernel reads and writes one
    // entry, and with a timeout of zero it does not wait.
    #[expect(
        unsafe_code,
        reason = "no safe function of a crate in use has this call"
    )]
    let result = unsafe { libc::poll(&raw mut entry, 1, 0) };
    result == 1 && entry.revents & (libc::POLLERR | libc::POLLHUP) != 0
}

/// Returns `false`: on this system, the sign for a reset is not known.
#[cfg(not(target_os = "linux"))]
pub(super) fn has_hung_up(_: &TcpStream) -> bool {
    false
}
