// SPDX-License-Identifier: Apache-2.0
// The simulator's front: transport rules first, then faults, then the controllers.
#include "sim/server.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "sim/api.h"
#include "sim/batch.h"
#include "sim/hash.h"
#include "sim/rate_limit.h"
#include "sim/text.h"
#include "sim/updates.h"
#include "web/certificate.h"
#include "web/server.h"

namespace pilake::sim {
namespace {

// By which a load balancer knows where a client sits.
constexpr std::string_view kMemberCookie = "PIMEMBER=";
// HTTP.sys' own limits (wire §1.8).
constexpr size_t kRequestBytesMax = 16'384, kSegmentCharsMax = 260;

Answer Html(int status, std::string_view title, std::string_view text) {
  Answer answer;
  answer.status = status;
  answer.headers = {{"Content-Type", "text/html; charset=us-ascii"}};
  answer.body = fmt::format(
      "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML "
      "4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n"
      "<HTML><HEAD><TITLE>{0}</TITLE></HEAD>\r\n<BODY><h2>{0}</h2>\r\n<hr><p>{1}</p>\r\n</BODY></"
      "HTML>\r\n",
      title, text);
  return answer;
}

Answer LoginPage() {
  return Html(200, "Sign in",
              "<form action=\"/login\"><input name=\"user\"><input name=\"password\"></form>");
}

bool HasLongSegment(std::string_view path) {
  for (const std::string_view segment : Split(path, '/')) {
    if (segment.size() > kSegmentCharsMax) return true;
  }
  return false;
}

std::string DecodeBasic(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) break;
    buffer = buffer << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(buffer >> bits & 0xff);
    }
  }
  return out;
}

FaultOptions AllFaults(FaultOptions options, const Story& story) {
  const std::vector<FaultRule> told = story.faults();
  options.rules.insert(options.rules.end(), told.begin(), told.end());
  return options;
}

bool IsWrite(std::string_view method) {
  return method != "GET" && method != "HEAD";
}

}  // namespace

struct Server::Impl {
  Impl(ServerOptions given, Story told, const Clock& time)
      : options(std::move(given)),
        clock(time),
        story(std::move(told)),
        faults(AllFaults(options.faults, story)),
        limit(options.rate_limit),
        started(clock.Now()),
        updates(Mix(options.plant.seed ^ static_cast<uint64_t>(started.ticks))),
        world{story, options.readings, options.items_max, started, std::nullopt,
              tally, options.pipes,    updates,           clock,   faults} {
    if (options.basic) world.user = options.basic->user;
  }

  const ServerOptions options;
  const Clock& clock;
  const Story story;
  Tally tally;
  FaultPlan faults;
  RateLimit limit;
  const UtcTime started;
  Updates updates;
  World world;
  std::atomic<uint64_t> next_member = 0;
  std::unique_ptr<web::Server> web;  // the last, so that its threads end first

  Answer Handle(const web::Request& request) {
    ++tally.calls;
    Answer answer = Respond(request);
    if (answer.status >= 400) ++tally.refused;
    return answer;
  }

  // The order in which a request meets the layers: HTTP.sys, limits, authentication, application.
  Answer Respond(const web::Request& request) {
    if (options.login_page) return LoginPage();
    if (options.garbage) return Garbage();
    if (request.head_bytes > kRequestBytesMax) {
      return Html(400, "Bad Request - Request Too Long",
                  "HTTP Error 400. The size of the request headers is too long.");
    }
    if (HasLongSegment(std::string_view(request.target).substr(0, request.target.find('?')))) {
      return Html(400, "Bad Request - Invalid URL", "HTTP Error 400. The request URL is invalid.");
    }
    const UtcTime now = clock.Now();
    if (story.IsDownAt(now))
      return Html(503, "Service Unavailable", "HTTP Error 503. The service is unavailable.");
    if (!limit.Admit(request.client, now)) return Errors(429, "Rate limit was reached");
    const FaultPlan::Decision fault = faults.Next(now);
    if (auto refused = StatusFault(fault.fault)) {
      Count(fault.fault);
      return std::move(*refused);
    }
    if (!Authenticated(request)) return Challenge();
    if (IsWrite(request.method) && request.Header("X-Requested-With").empty()) {
      return Errors(options.readings.csrf_status, "Missing required header 'X-Requested-With'.");
    }
    Answer answer = Apply(request, now, fault);
    SpoilDelivery(fault, answer);
    return answer;
  }

  Answer Apply(const web::Request& request, UtcTime now, const FaultPlan::Decision& fault) {
    const std::string base = fmt::format(
        "{}://{}/piwebapi", options.tls_folder.empty() ? "http" : "https", request.Header("Host"));
    const Sitting sitting = SitDown(request, now);
    auto call = MakeCall(world, request.method, request.target, base, now, sitting.member);
    if (!call) {
      if (call.error().kind != ErrorKind::kNotFound) return Refusal(call.error());
      return Html(404, "Not Found", "HTTP Error 404. The requested resource is not found.");
    }
    SetLateFailure(fault, *call);
    call->fault = fault.fault;
    call->is_upgrade = request.is_upgrade;
    Answer answer = Apply(request, *call);
    if (sitting.is_new) {
      answer.headers.emplace_back("Set-Cookie", fmt::format("{}{}; path=/piwebapi", kMemberCookie,
                                                            static_cast<int>(sitting.member)));
    }
    return answer;
  }

  Answer Apply(const web::Request& request, const Call& call) {
    if (call.segments.size() == 1 && SameText(call.segments[0], "batch"))
      return ApplyBatch(request, call);
    if (IsWrite(call.method) && !IsRegistration(call)) return RefuseWrite(call);
    return Route(call);
  }

  // Where a load balancer puts the client: it stays with the member of its cookie; without one the
  // members take turns.
  struct Sitting {
    Member member = Member::kFirst;
    bool is_new = false;
  };
  Sitting SitDown(const web::Request& request, UtcTime now) {
    if (!story.IsSplitAt(now)) return {};
    const std::string_view cookie = request.Header("Cookie");
    const size_t at = cookie.find(kMemberCookie);
    const size_t value = at + kMemberCookie.size();
    if (at != std::string_view::npos && value < cookie.size())
      return {cookie[value] == '1' ? Member::kLagging : Member::kFirst, false};
    return {next_member++ % 2 == 0 ? Member::kFirst : Member::kLagging, true};
  }

  Answer ApplyBatch(const web::Request& request, const Call& call) {
    if (request.method != "POST") return NoSuchMethod(call);
    ++tally.batch_calls;
    return Batch(call, request.body, [this, client = request.client](Call part) {
      return RunPart(std::move(part), client);
    });
  }

  Answer RunPart(Call part, const std::string& client) {
    ++tally.batch_parts;
    if (options.readings.batch_parts_limited && !limit.Admit(client, part.now)) {
      return Errors(429, "Rate limit was reached");
    }
    const FaultPlan::Decision fault = faults.NextPart(part.now);
    if (fault.fault == Fault::kPart500 || fault.fault == Fault::kPart429) {
      Count(fault.fault);
      return fault.fault == Fault::kPart500 ? Errors(500, "An unexpected error occurred.")
                                            : Errors(429, "Rate limit was reached");
    }
    if (IsWrite(part.method)) return RefuseWrite(part);
    SetLateFailure(fault, part);
    return Route(part);
  }

  // Whoever reads a historian must not write to it: counted, so that a test can insist on none.
  Answer RefuseWrite(const Call& call) {
    ++tally.writes_refused;
    const bool is_known = IsRegistration(call) || Route(call).status != 404;
    if (!is_known) return NoSuchResource(call);
    return Errors(403, "The current user does not have the rights to change this.");
  }

  bool Authenticated(const web::Request& request) const {
    if (!options.basic) return true;
    const std::string_view header = request.Header("Authorization");
    constexpr std::string_view kScheme = "Basic ";
    if (header.size() < kScheme.size() || !SameText(header.substr(0, kScheme.size()), kScheme))
      return false;
    const std::string given = DecodeBasic(header.substr(kScheme.size()));
    return given == options.basic->user + ":" + options.basic->password;
  }

  static Answer Challenge() {
    Answer answer = Message(401, "Authorization has been denied for this request.");
    answer.headers.emplace_back("WWW-Authenticate", "Negotiate");
    answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"PI Web API\"");
    return answer;
  }

  void Count(Fault fault) { ++tally.faults[static_cast<size_t>(fault)]; }

  static std::optional<Answer> StatusFault(Fault fault) {
    switch (fault) {
      case Fault::k401:
        return Challenge();
      case Fault::k429:
        return Errors(429, "Rate limit was reached");
      case Fault::k500:
        return Errors(500, "An unexpected error occurred.");
      case Fault::k502:
        return Errors(502, "[-10722] PINET: Timeout on PI RPC or System Call");
      case Fault::k503:
        return Html(503, "Service Unavailable", "HTTP Error 503. The service is unavailable.");
      case Fault::k504:
        return Html(504, "Gateway Timeout", "The gateway did not receive an answer in time.");
      case Fault::kHtml403:
        return Html(403, "Forbidden", "The proxy does not let you pass.");
      case Fault::kHtml502:
        return Html(502, "Bad Gateway", "The proxy server received an invalid response.");
      case Fault::kEmpty200:
        return Answer{};
      case Fault::kHtml200:
        return LoginPage();
      case Fault::kGarbage200:
        return Garbage();
      default:
        return std::nullopt;
    }
  }

  // Soon in some answers, late in others: most bodies are short.
  static void SetLateFailure(const FaultPlan::Decision& fault, Call& call) {
    if (fault.fault != Fault::kWebException && fault.fault != Fault::kStreamWebException) return;
    const uint64_t most = (fault.draw >> 32 & 1) != 0 ? 4 : 2000;
    call.late_failure.after_items = static_cast<int64_t>(fault.draw % most);
    call.late_failure.one_stream = fault.fault == Fault::kStreamWebException;
    call.late_failure.fault = fault.fault;
  }

  void SpoilDelivery(const FaultPlan::Decision& fault, Answer& answer) {
    using Kind = web::Mishap::Kind;
    switch (fault.fault) {
      case Fault::kHangUp:
        answer.mishap.kind = Kind::kHangUp;
        break;
      case Fault::kCutHead:
        answer.mishap.kind = Kind::kCutHead;
        break;
      case Fault::kNoAnswer:
        answer.mishap.kind = Kind::kNoAnswer;
        break;
      case Fault::kReset:
        answer.mishap.kind = Kind::kReset;
        break;
      case Fault::kTruncate:
        answer.mishap.kind = Kind::kCutBody;
        break;
      case Fault::kStall:
        answer.mishap.kind = Kind::kStall;
        break;
      case Fault::kSlow:
        answer.mishap.pause_per_piece = Duration::Millis(200);
        break;
      default:
        return;
    }
    const uint64_t most = answer.pieces == nullptr ? answer.body.size() : 600'000;
    answer.mishap.after_bytes = most == 0 ? 0 : fault.draw % most;
    Count(fault.fault);
  }

  static Answer Garbage() {
    Answer answer = Json("{\"Items\":[{\"Timestamp\":\"20\x01\xff\xfe,,]}");
    return answer;
  }
};

namespace {

Status WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Fail(ErrorKind::kInvalid, "cannot write {}", path.string());
  return {};
}

Result<web::TlsIdentity> MakeIdentity(const std::string& folder, bool expired, UtcTime now) {
  TimeRange validity = {now - Duration::Days(2), now + Duration::Days(90)};
  if (expired) validity.end = now - Duration::Days(1);
  ASSIGN_OR_RETURN(auto generated, web::GenerateIdentity(validity));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Fail(ErrorKind::kInvalid, "cannot create {}: {}", folder, error.message());
  RETURN_IF_ERROR(WriteFile(std::filesystem::path(folder) / "ca.pem", generated.ca_pem));
  return std::move(generated.identity);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, const Clock& clock) {
  ASSIGN_OR_RETURN(Plant plant, Plant::Make(options.plant, clock.Now()));
  ASSIGN_OR_RETURN(Story story, Story::Make(std::move(plant), options.script));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(story), clock);
  web::Options web;
  web.port = impl->options.port;
  web.threads = impl->options.threads;
  web.server_header = "Microsoft-HTTPAPI/2.0";
  if (!impl->options.tls_folder.empty()) {
    // Certificates are about the machine's time, whatever the plant's clock says.
    ASSIGN_OR_RETURN(web.tls, MakeIdentity(impl->options.tls_folder, impl->options.tls_expired,
                                           SystemClock().Now()));
  }
  ASSIGN_OR_RETURN(impl->web, web::Server::Start(std::move(web),
                                                 [impl = impl.get()](const web::Request& request) {
                                                   return impl->Handle(request);
                                                 }));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

uint16_t Server::port() const {
  return impl_->web->port();
}

std::string Server::url() const {
  return fmt::format("{}://127.0.0.1:{}/piwebapi",
                     impl_->options.tls_folder.empty() ? "http" : "https", port());
}

const Plant& Server::plant() const {
  return impl_->story.plant();
}

ServerCounters Server::counters() const {
  const Tally& tally = impl_->tally;
  ServerCounters counters = {.calls = tally.calls,
                             .batch_parts = tally.batch_parts,
                             .recorded_calls = tally.recorded_calls,
                             .set_recorded_calls = tally.set_recorded_calls,
                             .set_value_calls = tally.set_value_calls,
                             .point_list_calls = tally.point_list_calls,
                             .batch_calls = tally.batch_calls,
                             .series_reads = tally.series_reads,
                             .events = tally.events,
                             .scanned = tally.scanned,
                             .bytes = impl_->web->bytes_sent(),
                             .refused = tally.refused,
                             .registrations = tally.registrations,
                             .update_polls = tally.update_polls,
                             .updates = tally.updates,
                             .channels = tally.channels,
                             .slow_channels = tally.slow_channels,
                             .messages = tally.messages,
                             .message_events = tally.message_events,
                             .writes_refused = tally.writes_refused};
  for (size_t i = 0; i < kFaultKinds; ++i) counters.faults[i] = tally.faults[i];
  return counters;
}

}  // namespace pilake::sim
