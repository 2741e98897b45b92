//! Who may log in. Stands for a database.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use harpia::HandlerResult;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::updates::Profile;

/// Known users, and how many passwords may be checked at once.
pub(crate) struct Users {
    known: Vec<User>,
    /// What an unknown address is checked against, so that it takes as long as a known one.
    decoy: Arc<str>,
    /// Each check takes a core and 19 MiB for some 50 ms: whoever sends many waits for them.
    checks: Arc<Semaphore>,
}

struct User {
    email: &'static str,
    hash: Arc<str>,
    profile: Profile,
}

impl Users {
    /// One user, whose password the page tells.
    pub(crate) fn demo() -> HandlerResult<Self> {
        let john = User {
            email: "john@example.com",
            hash: hash("correct horse")?,
            profile: Profile {
                id: 1,
                name: "John Doe".to_owned(),
                role: "admin".to_owned(),
            },
        };
        Ok(Self {
            known: vec![john],
            decoy: hash("no user has this")?,
            checks: Arc::new(Semaphore::new(2)),
        })
    }

    /// Returns whose email and password these are, if anyone's.
    pub(crate) async fn log_in(&self, email: &str, password: String) -> Option<Profile> {
        let user = self.known.iter().find(|user| user.email == email);
        let hash = Arc::clone(user.map_or(&self.decoy, |user| &user.hash));
        let check = Arc::clone(&self.checks).acquire_owned().await.ok()?;
        let is_right = spawn_blocking(move || {
            let is_right = verify(&password, &hash);
            // Here, since a check goes on when its visitor has gone.
            drop(check);
            is_right
        });
        let is_right = is_right.await;
        user.filter(|_| matches!(is_right, Ok(true)))
            .map(|user| user.profile.clone())
    }
}

fn hash(password: &str) -> HandlerResult<Arc<str>> {
    let hash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string().into())
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}
