// SPDX-License-Identifier: Apache-2.0
// The binary interface of GSSAPI in C (RFC 2744, and MIT's gss_acquire_cred_from), as far as it is
// used. It is declared here and looked up at run time, so that the program starts on machines
// without Kerberos and is built on those.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace pilake::pi::gss {

struct Oid {
  uint32_t length;
  void* elements;
};
struct OidSet {
  size_t count;
  Oid* elements;
};
struct Buffer {
  size_t length = 0;
  void* value = nullptr;
};
struct KeyValue {
  const char* key;
  const char* value;
};
struct KeyValueSet {
  uint32_t count;
  KeyValue* elements;
};
using Name = struct NameOfLibrary*;
using Credential = struct CredentialOfLibrary*;
using Context = struct ContextOfLibrary*;

inline constexpr uint32_t kIndefinite = 0xffffffff;
inline constexpr int kInitiate = 1;
inline constexpr int kMajorCode = 1;  // GSS_C_GSS_CODE
inline constexpr int kMinorCode = 2;  // GSS_C_MECH_CODE

inline bool IsError(uint32_t major) {
  return (major & 0xffff0000) != 0;
}

/// The functions of the library.
struct Library {
  uint32_t (*import_name)(uint32_t* minor, Buffer* text, Oid* type, Name* name);
  uint32_t (*display_name)(uint32_t* minor, Name name, Buffer* text, Oid** type);
  uint32_t (*release_name)(uint32_t* minor, Name* name);
  uint32_t (*acquire_cred_from)(uint32_t* minor, Name name, uint32_t seconds, OidSet* mechanisms,
                                int usage, const KeyValueSet* store, Credential* credential,
                                OidSet** given, uint32_t* seconds_given);
  uint32_t (*inquire_cred)(uint32_t* minor, Credential credential, Name* name, uint32_t* seconds,
                           int* usage, OidSet** mechanisms);
  uint32_t (*release_cred)(uint32_t* minor, Credential* credential);
  uint32_t (*set_neg_mechs)(uint32_t* minor, Credential credential, const OidSet* mechanisms);
  uint32_t (*init_sec_context)(uint32_t* minor, Credential credential, Context* context,
                               Name target, Oid* mechanism, uint32_t flags, uint32_t seconds,
                               void* bindings, Buffer* input, Oid** mechanism_taken, Buffer* output,
                               uint32_t* flags_given, uint32_t* seconds_given);
  uint32_t (*delete_sec_context)(uint32_t* minor, Context* context, Buffer* output);
  uint32_t (*display_status)(uint32_t* minor, uint32_t status, int kind, Oid* mechanism,
                             uint32_t* more, Buffer* text);
  uint32_t (*release_buffer)(uint32_t* minor, Buffer* buffer);
};

/// The system's library, loaded once and for good; `kInvalid` names the packages that bring it.
/// `file_name` is what the dynamic linker looks for.
Result<Library> Load(const char* file_name = "libgssapi_krb5.so.2");

}  // namespace pilake::pi::gss
