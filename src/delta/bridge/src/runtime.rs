// SPDX-License-Identifier: Apache-2.0
//! The one Tokio runtime of the process, on which all stores do their input and output.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .thread_name("pilake-store")
        .enable_all()
        .build()
        .expect("the system lets us start two threads")
});

pub fn runtime() -> &'static Runtime {
    &RUNTIME
}
