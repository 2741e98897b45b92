//! Test kit: server, clients, waiting.
