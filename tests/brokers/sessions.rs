//! Sessions in a real Redis: no update is lost, sessions expire, and every wait has a timeout.

use std::time::{Duration, Instant};

use harpia::prelude::*;
use harpia::session::{RedisStore, SessionError, SessionId};
use harpia_tests::{Log, RedisServer, TestServer};

type Sessions = Session<u32, RedisStore>;

const TIMEOUT: Duration = Duration::from_millis(300);

async fn sessions(redis: &RedisServer) -> Sessions {
    let store = RedisStore::connect(&redis.url())
        .await
        .expect("Redis answers");
    Session::new(store.timeout(TIMEOUT))
}

fn key(id: &SessionId) -> String {
    format!("harpia:session:{}", id.as_str())
}

fn is_missing<T>(result: &Result<T, SessionError>) -> bool {
    matches!(result, Err(SessionError::NotFound))
}

fn is_down<T>(result: &Result<T, SessionError>) -> bool {
    matches!(result, Err(SessionError::Unavailable(_)))
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn a_session_can_be_created_read_updated_and_deleted() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let id = sessions.create(1).await.unwrap();
    // The value is the time at which the session was made, and the data as JSON.
    let value = redis.command(&format!("GET {}", key(&id)));
    assert_eq!(
        value.split_once(' ').map(|(_, data)| data),
        Some("1"),
        "{value}"
    );
    assert_eq!(sessions.update(&id, |count| *count + 5).await.unwrap(), 6);
    sessions.update(&id, |count| *count = 7).await.unwrap();
    assert_eq!(sessions.get(&id).await.unwrap(), 7);
    sessions.delete(&id).await.unwrap();
    sessions.delete(&id).await.unwrap();
    assert!(is_missing(&sessions.get(&id).await));
    assert!(is_missing(&sessions.update(&id, |_| ()).await));
    assert!(is_missing(&sessions.rotate(&id).await));
    assert_eq!(redis.command("DBSIZE"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis: tests/run"]
async fn concurrent_updates_on_two_nodes_lose_nothing() {
    let redis = RedisServer::start();
    let nodes = [sessions(&redis).await, sessions(&redis).await];
    let id = nodes[0].create(0).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (sessions, id) = (nodes[number % 2].clone(), id.clone());
            tokio::spawn(async move {
                for _ in 0..25 {
                    sessions.update(&id, |count| *count += 1).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(nodes[1].get(&id).await.unwrap(), 200);
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn each_use_renews_a_session_and_an_expired_one_is_gone() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await.ttl(Duration::from_secs(3600));
    let mut id = sessions.create(1).await.unwrap();
    let left = |id: &SessionId| -> u64 {
        let left = redis.command(&format!("PTTL {}", key(id)));
        left.parse().unwrap()
    };
    assert!((3_500_000..=3_600_000).contains(&left(&id)));
    for use_it in ["get", "update", "rotate"] {
        redis.command(&format!("PEXPIRE {} 60000", key(&id)));
        assert!(left(&id) <= 60_000);
        match use_it {
            "get" => assert_eq!(sessions.get(&id).await.unwrap(), 1),
            "update" => sessions.update(&id, |_| ()).await.unwrap(),
            _ => id = sessions.rotate(&id).await.unwrap(),
        }
        assert!(left(&id) > 3_500_000, "{use_it}");
    }
    redis.command(&format!("PEXPIREAT {} 1", key(&id)));
    assert!(is_missing(&sessions.get(&id).await));
    assert!(is_missing(&sessions.update(&id, |_| ()).await));
    assert!(is_missing(&sessions.rotate(&id).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis: tests/run"]
async fn exactly_one_of_many_rotations_succeeds_and_the_old_id_stops_working() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let old = sessions.create(1).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (sessions, old) = (sessions.clone(), old.clone());
            tokio::spawn(async move { sessions.rotate(&old).await })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(new) => winners.push(new),
            Err(error) => assert!(matches!(error, SessionError::NotFound), "{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert!(is_missing(&sessions.get(&old).await));
    assert_eq!(sessions.get(&winners[0]).await.unwrap(), 1);
    assert_eq!(redis.command("DBSIZE"), "1");
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn sessions_fail_while_redis_is_down_and_return_after_its_restart() {
    let mut redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let id = sessions.create(1).await.unwrap();
    redis.kill();
    for _ in 0..3 {
        assert!(is_down(&sessions.get(&id).await));
        assert!(is_down(&sessions.create(2).await));
        assert!(is_down(&sessions.rotate(&id).await));
        assert!(is_down(&sessions.delete(&id).await));
    }
    redis.start_again();
    // The first call after the restart succeeds, although earlier calls failed.
    assert_eq!(sessions.get(&id).await.unwrap(), 1);
    // Redis restarts between two calls. The next call replaces the lost connection.
    redis.kill();
    redis.start_again();
    assert_eq!(sessions.update(&id, |count| *count).await.unwrap(), 1);
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn a_hanging_redis_is_an_error_within_the_timeout() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let id = sessions.create(1).await.unwrap();
    redis.signal("STOP");
    for _ in 0..2 {
        let start = Instant::now();
        let (one, other) = tokio::join!(sessions.get(&id), sessions.update(&id, |_| ()));
        assert!(is_down(&one) && is_down(&other));
        let took = start.elapsed();
        assert!((TIMEOUT..TIMEOUT * 5).contains(&took), "{took:?}");
    }
    redis.signal("CONT");
    assert_eq!(sessions.get(&id).await.unwrap(), 1);
}

struct Updates(Sessions);

#[ws_route("/updates", broadcast = off)]
impl Updates {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        let count = self.0.from_ws(ws).await?;
        ws.send(count.to_string());
        Ok(())
    }
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn a_connection_is_closed_with_1013_while_redis_is_down() {
    let mut redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let id = sessions.create(7).await.unwrap();
    let server = TestServer::start(App::new().ws(Updates(sessions))).await;
    let cookie = format!("session_id={}", id.as_str());
    let headers = [("cookie", &*cookie)];
    assert_eq!(
        server.connect_with("/updates", &headers).await.text().await,
        "7"
    );
    redis.kill();
    let closed = server
        .connect_with("/updates", &headers)
        .await
        .closed()
        .await;
    assert_eq!(closed, (1013, "Try Again Later".into()));
    redis.start_again();
    assert_eq!(
        server.connect_with("/updates", &headers).await.text().await,
        "7"
    );
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn no_redis_error_contains_the_id_or_the_data() {
    let redis = RedisServer::start();
    let sessions = sessions(&redis).await;
    let id = sessions.create(1).await.unwrap();
    redis.command(&format!("DEL {}", key(&id)));
    redis.command(&format!("LPUSH {} hunter2", key(&id)));
    let error = sessions.get(&id).await.unwrap_err();
    let shown = format!("{error} {error:?} {sessions:?}");
    assert!(!shown.contains(id.as_str()), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn no_redis_log_contains_the_id_or_the_data() {
    let log = Log::begin();
    let mut redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url())
        .await
        .expect("Redis answers");
    let sessions = Session::new(store.timeout(TIMEOUT));
    let old = sessions.create("hunter2".to_owned()).await.unwrap();
    let id = sessions.rotate(&old).await.unwrap();
    assert_eq!(sessions.get(&id).await.unwrap(), "hunter2");
    redis.kill();
    assert!(is_down(&sessions.get(&id).await));
    redis.start_again();
    assert_eq!(sessions.get(&id).await.unwrap(), "hunter2");
    sessions.delete(&id).await.unwrap();
    tracing::trace!("tracing is captured");
    let log = log.text();
    assert!(log.contains("tracing is captured"), "{log}");
    for secret in [old.as_str(), id.as_str(), "hunter2"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
#[ignore = "needs Redis: tests/run"]
async fn connecting_to_a_missing_redis_is_an_error_without_the_password() {
    let mut redis = RedisServer::start();
    redis.kill();
    let url = redis.url();
    for url in [&*url, "no url", "redis://user:hunter2@127.0.0.1:1/"] {
        let error = RedisStore::connect(url).await.unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
