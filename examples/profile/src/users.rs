//! The users that may log in: a stand-in for a database.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use harpia::HandlerResult;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::updates::Profile;

/// The known users, and a limit on concurrent password checks.
pub(crate) struct Users {
    known: Vec<User>,
    /// The hash that a password is checked against if the email is unknown, so that the response
    /// takes as long as for a known one.
    decoy: Arc<str>,
    /// Limits concurrent checks: each takes one core and 19 MiB for about 50 ms. Further logins
    /// wait for a permit.
    checks: Arc<Semaphore>,
}

struct User {
    email: &'static str,
    hash: Arc<str>,
    profile: Profile,
}

impl Users {
    /// Creates one user, whose password the login page shows.
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

    /// Returns the profile of the user with this email and password, if there is one.
    pub(crate) async fn log_in(&self, email: &str, password: String) -> Option<Profile> {
        let user = self.known.iter().find(|user| user.email == email);
        let hash = Arc::clone(user.map_or(&self.decoy, |user| &user.hash));
        let check = Arc::clone(&self.checks).acquire_owned().await.ok()?;
        let is_right = spawn_blocking(move || {
            let is_right = verify(&password, &hash);
            // Released by the blocking task, which goes on if the client disconnects and the
            // request is dropped.
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
