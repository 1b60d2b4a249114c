// SPDX-License-Identifier: Apache-2.0
//! What went wrong, as a kind the caller can act on and a sentence for a person.

use std::error::Error as StdError;
use std::io;

use delta_kernel::KernelError;
use parquet::errors::ParquetError;

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

    /// What a store said, with what can be done about it.
    fn with_cure(self) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| self.message.contains(word));
        // A list of a place that is there is empty at worst.
        let lists_nowhere = says(&["list request"]) && says(&["404 Not Found"]);
        if lists_nowhere || says(&["NoSuchBucket", "ContainerNotFound"]) {
            let words = "there is no such bucket or container; make it, or correct table.path";
            return Self::new(PilakeKind::Invalid, self.message).within(words);
        }
        if says(&["http://169.254.169.254/", "metadata.google.internal"]) {
            return self.within(
                "neither table.options nor the environment has keys for the store, and this machine \
                 gives none",
            );
        }
        // Lists carry what they were refused with in their words only.
        if self.kind == PilakeKind::Auth || says(&["401 Unauthorized", "403 Forbidden"]) {
            return Self::new(PilakeKind::Auth, self.message).within(
                "the store refuses us; correct the keys in table.options, or grant them to list, \
                 read, write and delete in the table's folder",
            );
        }
        self
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

impl StdError for Error {}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        if let Some(ours) = find_ours(&error) {
            return ours.clone();
        }
        let message = match &error {
            object_store::Error::Generic { store: "LocalFileSystem", source } => source.to_string(),
            _ => error.to_string(),
        };
        Self::new(kind_of_store(&error), message).with_cure()
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

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        Self::new(kind_of_cause(&error), error.to_string())
    }
}

type Cause = dyn StdError + 'static;

/// An error and what caused it, the innermost last.
fn causes(error: &Cause) -> impl Iterator<Item = &Cause> {
    std::iter::successors(Some(error), |&error| cause_of(error))
}

/// Two libraries carry an error without naming it as their source.
fn cause_of(error: &Cause) -> Option<&Cause> {
    if let Some(io) = error.downcast_ref::<io::Error>() {
        return io.get_ref().map(|carried| carried as &Cause);
    }
    if let Some(ParquetError::External(carried)) = error.downcast_ref::<ParquetError>() {
        return Some(carried.as_ref() as &Cause);
    }
    error.source()
}

/// Our own error that a library carried: of those who lend credentials.
fn find_ours(error: &Cause) -> Option<&Error> {
    causes(error).find_map(|cause| cause.downcast_ref::<Error>())
}

/// What a reader of columns ran into: the store, or bytes that are not what they should be.
fn kind_of_cause(error: &Cause) -> PilakeKind {
    let store = causes(error).find_map(|cause| cause.downcast_ref::<object_store::Error>());
    store.map_or(PilakeKind::Malformed, kind_of_store)
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
fn kind_of_io(error: &Cause) -> Option<PilakeKind> {
    use io::ErrorKind::*;
    let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>())?;
    Some(match io.kind() {
        PermissionDenied | ReadOnlyFilesystem | NotADirectory | IsADirectory | Unsupported
        | InvalidFilename => PilakeKind::Invalid,
        _ => PilakeKind::Unreachable,
    })
}
