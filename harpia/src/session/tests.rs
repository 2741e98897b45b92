//! Tests of sessions in a memory store whose clock the tests can move.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use bytes::Bytes;

use super::*;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Profile {
    name: String,
    visits: u32,
}

fn ada() -> Profile {
    Profile {
        name: "Ada".to_owned(),
        visits: 0,
    }
}

fn is_missing<T>(result: Result<T, SessionError>) -> bool {
    matches!(result, Err(SessionError::NotFound))
}

#[tokio::test]
async fn a_session_is_created_read_changed_and_deleted() {
    let sessions = Session::<Profile>::memory();
    let id = sessions.create(ada()).await.unwrap();
    assert_eq!(sessions.get(&id).await.unwrap(), ada());
    let add = |profile: &mut Profile| {
        profile.visits += 1;
        profile.visits
    };
    assert_eq!(sessions.update(&id, add).await.unwrap(), 1);
    assert_eq!(sessions.get(&id).await.unwrap().visits, 1);
    sessions.delete(&id).await.unwrap();
    sessions.delete(&id).await.unwrap();
    assert!(is_missing(sessions.get(&id).await));
    assert!(is_missing(sessions.update(&id, add).await));
    assert!(is_missing(sessions.rotate(&id).await));
}

#[tokio::test]
async fn a_used_session_lives_on_and_an_unused_session_expires() {
    let hour = Duration::from_secs(3600);
    let sessions = Session::<Profile>::memory().ttl(hour * 2);
    let read = sessions.create(ada()).await.unwrap();
    let changed = sessions.create(ada()).await.unwrap();
    let unused = sessions.create(ada()).await.unwrap();
    for _ in 0..3 {
        sessions.store.advance(hour);
        sessions.get(&read).await.unwrap();
        sessions.update(&changed, |_| ()).await.unwrap();
    }
    assert!(is_missing(sessions.get(&unused).await));
    sessions.store.advance(hour * 2);
    assert!(is_missing(sessions.get(&read).await));
    assert!(is_missing(sessions.update(&changed, |_| ()).await));
}

#[tokio::test]
async fn a_session_ends_at_its_max_age_even_if_it_is_used_changed_and_rotated() {
    let sessions = Session::<Profile>::memory().max_age(Duration::from_millis(300));
    let mut id = sessions.create(ada()).await.unwrap();
    let used = async {
        loop {
            if is_missing(sessions.update(&id, |profile| profile.visits += 1).await) {
                return;
            }
            match sessions.rotate(&id).await {
                Ok(new) => id = new,
                Err(_) => return,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), used).await;
    ended.expect("the session ends");
    assert_eq!(sessions.store.len(), 0);
}

#[tokio::test]
async fn after_a_rotation_only_the_new_id_works() {
    let sessions = Session::<Profile>::memory();
    let old = sessions.create(ada()).await.unwrap();
    let new = sessions.rotate(&old).await.unwrap();
    assert_ne!(old, new);
    assert!(is_missing(sessions.get(&old).await));
    assert!(is_missing(sessions.rotate(&old).await));
    assert_eq!(sessions.get(&new).await.unwrap(), ada());
    assert_eq!(sessions.store.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_concurrent_change_is_lost() {
    let sessions = Session::<Profile>::memory();
    let id = sessions.create(ada()).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (sessions, id) = (sessions.clone(), id.clone());
            tokio::spawn(async move {
                for _ in 0..250 {
                    let change = |profile: &mut Profile| profile.visits += 1;
                    sessions.update(&id, change).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(sessions.get(&id).await.unwrap().visits, 2_000);
}

/// A store that records each key that is used, and changes a value right before it is replaced.
#[derive(Clone, Default)]
struct Recording {
    keys: Arc<Mutex<Vec<String>>>,
    entries: Arc<Mutex<HashMap<String, Bytes>>>,
    rivals: Arc<Mutex<Vec<&'static str>>>,
}

impl Recording {
    fn entries(&self, key: &str) -> std::sync::MutexGuard<'_, HashMap<String, Bytes>> {
        self.keys.lock().unwrap().push(key.to_owned());
        self.entries.lock().unwrap()
    }
}

impl Store for Recording {
    async fn insert(&self, key: &str, value: Bytes, _: Duration) -> Result<bool, SessionError> {
        Ok(self.entries(key).insert(key.to_owned(), value).is_none())
    }

    async fn load(&self, key: &str, _: Duration) -> Result<Option<Bytes>, SessionError> {
        Ok(self.entries(key).get(key).cloned())
    }

    async fn replace(
        &self,
        key: &str,
        expected: &[u8],
        value: Bytes,
        _: Duration,
    ) -> Result<bool, SessionError> {
        let mut entries = self.entries(key);
        if let Some(rival) = self.rivals.lock().unwrap().pop() {
            entries.insert(key.to_owned(), rival.into());
        }
        let matches = entries.get(key).is_some_and(|found| found == expected);
        if matches {
            entries.insert(key.to_owned(), value);
        }
        Ok(matches)
    }

    async fn rename(&self, from: &str, to: &str, _: Duration) -> Result<bool, SessionError> {
        let mut entries = self.entries(from);
        let value = entries.remove(from);
        Ok(value.is_some_and(|value| entries.insert(to.to_owned(), value).is_none()))
    }

    async fn remove(&self, key: &str) -> Result<(), SessionError> {
        self.entries(key).remove(key);
        Ok(())
    }
}

#[tokio::test]
async fn a_change_is_repeated_on_the_newest_data_if_another_came_first() {
    let store = Recording::default();
    let sessions = Session::<u32, _>::new(store.clone());
    let id = sessions.create(1).await.unwrap();
    // Values begin with the time at which the session was made.
    *store.rivals.lock().unwrap() = vec!["9999999999999 20", "9999999999999 10"];
    let mut seen = Vec::new();
    let change = |count: &mut u32| {
        seen.push(*count);
        *count += 1;
    };
    sessions.update(&id, change).await.unwrap();
    assert_eq!(seen, [1, 10, 20]);
    assert_eq!(sessions.get(&id).await.unwrap(), 21);
}

#[tokio::test]
async fn a_client_can_only_reach_the_key_of_a_session() {
    let store = Recording::default();
    store
        .entries
        .lock()
        .unwrap()
        .insert("admin".to_owned(), "1".into());
    let sessions = Session::<u32, _>::new(store.clone());
    let sent = [
        "admin",
        "../admin",
        "harpia:session:0123456789abcdef0123456789abcdef",
        "*",
        "%61dmin",
        "0123456789abcdef0123456789abcde\r",
        "0123456789ABCDEF0123456789ABCDEF",
        "",
    ];
    for value in sent {
        let cookies = Cookies::parse(&format!("session_id={value}"));
        assert!(is_missing(sessions.id_from_cookies(&cookies)), "{value:?}");
    }
    let cookies = Cookies::parse("session_id=0123456789abcdef0123456789abcdef");
    let id = sessions.id_from_cookies(&cookies).unwrap();
    assert!(is_missing(sessions.get(&id).await));
    let used = store.keys.lock().unwrap().clone();
    assert_eq!(used, ["harpia:session:0123456789abcdef0123456789abcdef"]);
}

#[tokio::test]
async fn two_kinds_of_sessions_in_one_store_are_separated_by_their_prefix() {
    let store = Recording::default();
    let users = Session::<u32, _>::new(store.clone());
    let admins = Session::<u32, _>::new(store).key_prefix("admin:");
    let user = users.create(7).await.unwrap();
    assert!(is_missing(admins.get(&user).await));
}

#[tokio::test]
async fn a_full_store_rejects_a_new_session_and_keeps_the_old_ones() {
    let sessions = Session::<u32>::new(MemoryStore::new().max_sessions(1));
    let id = sessions.create(1).await.unwrap();
    let error = sessions.create(2).await.unwrap_err();
    assert!(matches!(&error, SessionError::Unavailable(_)), "{error}");
    assert_eq!(sessions.get(&id).await.unwrap(), 1);
}

#[tokio::test]
async fn debug_and_errors_show_neither_id_nor_data() {
    let sessions = Session::<String>::memory();
    let id = sessions.create("hunter2".to_owned()).await.unwrap();
    let other = Session::<u64> {
        store: Arc::clone(&sessions.store),
        config: Arc::default(),
        format: Format::json(),
    };
    let error = other.get(&id).await.unwrap_err();
    let shown = format!("{sessions:?} {:?} {id:?} {error} {error:?}", sessions.store);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!shown.contains(id.as_str()), "{shown}");
}

#[test]
#[should_panic(expected = "`SameSite::None` cannot be `insecure`")]
fn same_site_none_with_insecure_panics_in_either_order() {
    let _ = Session::<u32>::memory()
        .insecure()
        .same_site(SameSite::None);
}

#[test]
#[should_panic(expected = "time to live of a session")]
fn a_ttl_of_zero_panics() {
    let _ = Session::<u32>::memory().ttl(Duration::ZERO);
}

#[test]
#[should_panic(expected = "not a valid name of a cookie")]
fn a_cookie_name_with_attributes_panics() {
    let _ = Session::<u32>::memory().cookie_name("a; Domain=evil");
}
