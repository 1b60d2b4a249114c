// SPDX-License-Identifier: Apache-2.0
//! Bytes on their way to one object: a single request if they are few, parts in flight if not.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, Result, WriteMultipart};

/// Bytes that go to the store at once; objects below it take one request.
pub const PART_BYTES: usize = 8 << 20;
const PARTS_IN_FLIGHT: usize = 2;

pub struct Upload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    held: Vec<Bytes>,
    held_bytes: usize,
    parts: Option<WriteMultipart>,
}

impl Upload {
    pub fn new(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self { store, path, held: Vec::new(), held_bytes: 0, parts: None }
    }

    pub async fn put(&mut self, bytes: Bytes) -> Result<()> {
        self.held_bytes += bytes.len();
        self.held.push(bytes);
        if self.held_bytes < PART_BYTES {
            return Ok(());
        }
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => WriteMultipart::new_with_chunk_size(
                self.store.put_multipart(&self.path).await?,
                PART_BYTES,
            ),
        };
        let capacity = parts.wait_for_capacity(PARTS_IN_FLIGHT).await;
        if capacity.is_ok() {
            self.held_bytes = 0;
            self.held.drain(..).for_each(|bytes| parts.put(bytes));
        }
        self.parts = Some(parts);
        capacity
    }

    /// Makes the object visible, whole. Leaves nothing behind on failure.
    pub async fn complete(mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.held);
        match self.parts.take() {
            None => {
                let payload: PutPayload = rest.into_iter().collect();
                self.store.put(&self.path, payload).await?;
            }
            Some(mut parts) => {
                rest.into_iter().for_each(|bytes| parts.put(bytes));
                parts.finish().await?;
            }
        }
        Ok(())
    }

    /// Takes back what was sent.
    pub async fn abort(mut self) -> Result<()> {
        match self.parts.take() {
            Some(parts) => parts.abort().await,
            None => Ok(()),
        }
    }
}
