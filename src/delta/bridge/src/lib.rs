// SPDX-License-Identifier: Apache-2.0
//! The Rust half of pilake's delta room. C++ sees only what `ffi` exports (`pilake_bridge.h`).
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

mod care;
mod catalog;
mod commit;
mod encoding;
mod error;
mod ffi;
mod files;
mod hindrance;
mod lease;
mod litter;
mod log;
mod merge;
mod profile;
mod runtime;
mod scan;
mod sealed;
mod secrets;
mod stats;
mod store;
mod table;
mod trial;
mod upload;
mod writer;

#[cfg(test)]
mod header_test;
#[cfg(test)]
mod table_test;
