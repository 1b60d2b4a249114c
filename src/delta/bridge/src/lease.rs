// SPDX-License-Identifier: Apache-2.0
//! Credentials that end: fetched anew in good time, while the old ones still open the door.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::CredentialProvider;
use tokio::sync::Mutex;

use crate::error::{Error, PilakeKind, Result};

/// So long before their end credentials are renewed, or a third of their life if that is less: a
/// request that has begun must end with those it began with.
const AHEAD_MAX: Duration = Duration::from_secs(300);

/// So long after a renewal that failed the old credentials are used without asking again.
const PAUSE: Duration = Duration::from_secs(2);

pub struct Lease<T> {
    pub credential: T,
    /// From the moment it was given; nothing: it does not end.
    pub life: Option<Duration>,
}

/// Who gives credentials out.
#[async_trait]
pub trait Lender<T>: Debug + Send + Sync {
    async fn lend(&self) -> Result<Lease<T>>;
}

struct Held<T> {
    credential: Arc<T>,
    renew: Option<Instant>,
    ends: Option<Instant>,
}

/// Credentials for a store, always with some life left in them.
pub struct Leased<T> {
    lender: Box<dyn Lender<T>>,
    held: Mutex<Option<Held<T>>>,
}

impl<T> Leased<T> {
    pub fn new(lender: impl Lender<T> + 'static) -> Self {
        Self { lender: Box::new(lender), held: Mutex::new(None) }
    }

    /// With credentials that were just given.
    pub fn holding(first: Lease<T>, lender: impl Lender<T> + 'static) -> Self {
        let held = Held::of(first, Instant::now());
        Self { lender: Box::new(lender), held: Mutex::new(Some(held)) }
    }

    pub async fn current(&self) -> Result<Arc<T>> {
        let mut held = self.held.lock().await;
        let is_past =
            |moment: Option<Instant>| moment.is_some_and(|moment| moment <= Instant::now());
        if let Some(held) = held.as_ref().filter(|held| !is_past(held.renew)) {
            return Ok(held.credential.clone());
        }
        let asked = Instant::now();
        match (self.lender.lend().await, held.as_mut()) {
            (Ok(lease), _) => {
                let fresh = Held::of(lease, asked);
                let credential = fresh.credential.clone();
                *held = Some(fresh);
                Ok(credential)
            }
            (Err(_), Some(old)) if !is_past(old.ends) => {
                old.renew = Some(Instant::now() + PAUSE);
                Ok(old.credential.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}

impl<T> Held<T> {
    fn of(lease: Lease<T>, asked: Instant) -> Self {
        let ahead = |life: Duration| AHEAD_MAX.min(life / 3);
        Self {
            credential: Arc::new(lease.credential),
            renew: lease.life.map(|life| asked + life - ahead(life)),
            ends: lease.life.map(|life| asked + life),
        }
    }
}

impl<T> Debug for Leased<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "credentials of {:?}", self.lender)
    }
}

#[async_trait]
impl<T: Debug + Send + Sync> CredentialProvider for Leased<T> {
    type Credential = T;

    async fn get_credential(&self) -> object_store::Result<Arc<T>> {
        self.current().await.map_err(refused)
    }
}

/// The store's caller gets its own kind and words back from it: `Error::from` finds them.
fn refused(error: Error) -> object_store::Error {
    let path = String::new();
    match error.kind {
        PilakeKind::Auth => object_store::Error::Unauthenticated { path, source: Box::new(error) },
        _ => object_store::Error::Generic { store: "credentials", source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::runtime::runtime;

    #[derive(Debug)]
    struct Counting {
        given: Arc<AtomicU32>,
        life: Duration,
        fails_from: u32,
    }

    #[async_trait]
    impl Lender<u32> for Counting {
        async fn lend(&self) -> Result<Lease<u32>> {
            let number = self.given.fetch_add(1, Ordering::AcqRel) + 1;
            if number >= self.fails_from {
                return Err(Error::new(PilakeKind::Unreachable, "nobody is there"));
            }
            Ok(Lease { credential: number, life: Some(self.life) })
        }
    }

    fn leased(life: Duration, fails_from: u32) -> (Arc<AtomicU32>, Leased<u32>) {
        let given = Arc::new(AtomicU32::new(0));
        let lender = Counting { given: given.clone(), life, fails_from };
        (given, Leased::new(lender))
    }

    fn current(leased: &Leased<u32>) -> Result<u32> {
        runtime().block_on(leased.current()).map(|credential| *credential)
    }

    #[test]
    fn credentials_are_kept_while_they_have_life_left() {
        let (given, leased) = leased(Duration::from_secs(3600), u32::MAX);
        assert_eq!((current(&leased).unwrap(), current(&leased).unwrap()), (1, 1));
        assert_eq!(given.load(Ordering::Acquire), 1);
    }

    #[test]
    fn they_are_renewed_before_they_end() {
        let (_, leased) = leased(Duration::from_millis(300), u32::MAX);
        assert_eq!(current(&leased).unwrap(), 1);
        std::thread::sleep(Duration::from_millis(220));
        assert_eq!(current(&leased).unwrap(), 2);
    }

    #[test]
    fn the_old_ones_serve_while_nobody_gives_new_ones() {
        let (given, leased) = leased(Duration::from_millis(600), 2);
        assert_eq!(current(&leased).unwrap(), 1);
        std::thread::sleep(Duration::from_millis(420));
        assert_eq!((current(&leased).unwrap(), current(&leased).unwrap()), (1, 1));
        assert_eq!(given.load(Ordering::Acquire), 2, "not each request asks again");
    }

    #[test]
    fn when_they_have_ended_the_lender_s_word_is_heard() {
        let (_, leased) = leased(Duration::from_secs(1), 1);
        let error = current(&leased).unwrap_err();
        assert!(error.message.contains("nobody"), "{error}");
        let told = runtime().block_on(leased.get_credential()).unwrap_err();
        let told = Error::from(told);
        assert_eq!(
            (told.kind, told.message.as_str()),
            (PilakeKind::Unreachable, "nobody is there")
        );
    }
}
