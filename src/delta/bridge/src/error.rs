// SPDX-License-Identifier: Apache-2.0
//! What went wrong, as a kind the caller can act on and a sentence for a person.

use std::error::Error as StdError;
use std::io;

use delta_kernel::KernelError;

/// The part of C++'s `ErrorKind` that a table can tell of. The numbers are part of the C ABI.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PilakeKind {
    Auth = 1,
    NotFound = 2,
    Malformed = 3,
    Conflict = 4,
    CommitUnknown = 5,
    Invalid = 6,
    Unreachable = 7,
    Internal = 8,
}

#[derive(Clone, Debug)]
pub struct Error {
    pub kind: PilakeKind,
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: PilakeKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// The same failure with the words in front that a person would ask for ("where?").
    pub fn within(self, context: impl std::fmt::Display) -> Self {
        Self::new(self.kind, format!("{context}: {}", self.message))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        let message = match &error {
            object_store::Error::Generic { store: "LocalFileSystem", source } => source.to_string(),
            _ => error.to_string(),
        };
        Self::new(kind_of_store(&error), message)
    }
}

impl From<KernelError> for Error {
    fn from(error: KernelError) -> Self {
        use KernelError::*;
        let kind = match error {
            Backtraced { source, .. } => return (*source).into(),
            ObjectStore(source) => return source.into(),
            IOError(source) => return source.into(),
            Arrow(source) => return source.into(),
            Parquet(source) => return source.into(),
            FileNotFound(_) | EmptyLog => PilakeKind::NotFound,
            FileAlreadyExists(_) | TableAlreadyExistsAtPath(_) => PilakeKind::Conflict,
            Reqwest(_) => PilakeKind::Unreachable,
            InternalError(_) | JoinFailure(_) => PilakeKind::Internal,
            MalformedJson(_) | Extract(..) | MissingData(_) => PilakeKind::Malformed,
            InvalidLogSegment(_) | InvalidCheckpoint(_) | MissingMetadata | MissingProtocol => {
                PilakeKind::Malformed
            }
            _ => PilakeKind::Invalid,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let kind = kind_of_io(&error).unwrap_or(PilakeKind::Unreachable);
        Self::new(kind, error.to_string())
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::new(kind_of_cause(&error), error.to_string())
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::new(kind_of_cause(&error), error.to_string())
    }
}

/// What a reader of columns ran into: the store, or bytes that are not what they should be.
fn kind_of_cause(error: &(dyn StdError + 'static)) -> PilakeKind {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<object_store::Error>() {
            return kind_of_store(error);
        }
        cause = error.source();
    }
    PilakeKind::Malformed
}

fn kind_of_store(error: &object_store::Error) -> PilakeKind {
    use object_store::Error::*;
    match error {
        NotFound { .. } => PilakeKind::NotFound,
        AlreadyExists { .. } | Precondition { .. } => PilakeKind::Conflict,
        PermissionDenied { .. } | Unauthenticated { .. } => {
            kind_of_io(error).unwrap_or(PilakeKind::Auth)
        }
        InvalidPath { .. } | NotSupported { .. } | NotImplemented { .. } => PilakeKind::Invalid,
        UnknownConfigurationKey { .. } => PilakeKind::Invalid,
        JoinError { .. } => PilakeKind::Internal,
        _ => kind_of_io(error).unwrap_or(PilakeKind::Unreachable),
    }
}

/// A refusal of the file system that no later try will change, told from one that may pass.
fn kind_of_io(error: &(dyn StdError + 'static)) -> Option<PilakeKind> {
    use io::ErrorKind::*;
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(match io.kind() {
                PermissionDenied | ReadOnlyFilesystem | NotADirectory | IsADirectory
                | Unsupported | InvalidFilename => PilakeKind::Invalid,
                _ => PilakeKind::Unreachable,
            });
        }
        cause = error.source();
    }
    None
}
