//! What needs a server of another kind beside harpia: real ones, started by each test on a free
//! port, killed and started again.

mod sessions;
