// SPDX-License-Identifier: Apache-2.0
// What a server says in the body of a failure, as one line for people.
#pragma once

#include <string>
#include <string_view>

namespace pilake::pi {

/// The texts of `{"Errors":[…]}` joined by "; ", the `Message` and `ExceptionMessage` of the
/// framework, or the title of an HTML page (wire §1.6); without any of these the beginning of the
/// body. Reads any bytes; at most `kErrorTextMax` printable characters on one line.
std::string ErrorText(std::string_view body, std::string_view content_type);
inline constexpr size_t kErrorTextMax = 400;

/// True for the body that PI Web API itself gives with a failure: a JSON object that names Errors
/// or a Message.
bool IsPiError(std::string_view body, std::string_view content_type);

bool IsJson(std::string_view content_type);
bool IsHtml(std::string_view content_type);

}  // namespace pilake::pi
