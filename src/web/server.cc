// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server on Boost.Beast: it parses what comes, we write what goes.
//
// One io_context, a few threads, one coroutine a connection on a strand of its own. Bodies are made
// piece by piece on those threads between the writes, so a long answer never keeps others waiting
// for longer than one piece takes.
#include "web/server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <thread>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/version.hpp>

#include "web/gzip.h"

namespace pilake::web {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;

constexpr auto kAwait = net::as_tuple(net::use_awaitable);
constexpr auto kIdle = std::chrono::seconds(120);
constexpr auto kHeld = std::chrono::minutes(15);  // longer than any client waits
constexpr uint32_t kHeadBytesMax = 256 << 10;

bool EqualsFolded(std::string_view a, std::string_view b) {
  return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

bool Contains(std::string_view list, std::string_view word) {
  return std::ranges::search(list, word, [](unsigned char a, unsigned char b) {
           return std::tolower(a) == std::tolower(b);
         }).begin() != list.end();
}

std::string HttpDate(std::time_t time) {
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

bool BodyForbidden(int status) {
  return status < 200 || status == 204 || status == 304;
}

void AppendChunk(std::string_view bytes, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  out += bytes;
  out += "\r\n";
}

bool CutsBody(const Mishap& mishap) {
  return mishap.kind == Mishap::Kind::kCutBody || mishap.kind == Mishap::Kind::kReset ||
         mishap.kind == Mishap::Kind::kStall;
}

// One answer on its way out: head, then pieces, plain or compressed, framed for the wire.
class Outgoing {
 public:
  Outgoing(Response response, const Request& request, bool keep_alive, std::string_view server)
      : response_(std::move(response)),
        head_only_(request.method == "HEAD"),
        keep_alive_(keep_alive) {
    if (Contains(request.Header("Accept-Encoding"), "gzip") && !BodyForbidden(response_.status)) {
      gzip_.emplace();
    }
    server_ = server;
  }

  // Fills `out` with what has to be sent next; false if that is the last.
  bool Next(std::string& out) {
    out.clear();
    piece_.clear();
    const bool more = NextPiece();
    if (gzip_) {
      packed_.clear();
      if (!piece_.empty() || begun_) gzip_->Append(piece_, !more, packed_);
      std::swap(piece_, packed_);
    }
    if (!begun_) AppendHead(more, out);
    begun_ = true;
    if (head_only_ || BodyForbidden(response_.status)) return false;
    return AppendBody(more, out);
  }

  const Mishap& mishap() const { return response_.mishap; }
  bool IsStuck() const { return response_.pieces != nullptr && response_.pieces->IsStuck(); }

 private:
  bool NextPiece() {
    if (response_.pieces == nullptr) {
      piece_ = std::move(response_.body);
      return false;
    }
    return response_.pieces->Append(piece_);
  }

  void AppendHead(bool more, std::string& out) {
    auto to = std::back_inserter(out);
    fmt::format_to(to, "HTTP/1.1 {} {}\r\n", response_.status, ReasonPhrase(response_.status));
    for (const auto& [name, value] : response_.headers)
      fmt::format_to(to, "{}: {}\r\n", name, value);
    if (gzip_ && !piece_.empty()) out += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n";
    chunked_ = more;
    if (chunked_) {
      out += "Transfer-Encoding: chunked\r\n";
    } else if (!BodyForbidden(response_.status)) {
      fmt::format_to(to, "Content-Length: {}\r\n", piece_.size());
    }
    fmt::format_to(to, "Server: {}\r\nDate: {}\r\n", server_, HttpDate(std::time(nullptr)));
    if (!keep_alive_) out += "Connection: close\r\n";
    out += "\r\n";
  }

  // False after the last byte, be it a wanted one or that of a mishap.
  bool AppendBody(bool more, std::string& out) {
    const uint64_t cut = response_.mishap.after_bytes;
    const bool cut_now = CutsBody(response_.mishap) && (sent_ + piece_.size() >= cut || !more);
    if (cut_now) piece_.resize(std::min<uint64_t>(piece_.size(), cut > sent_ ? cut - sent_ : 0));
    sent_ += piece_.size();
    if (!chunked_) {
      out += piece_;
    } else if (cut_now) {  // in the middle of a chunk
      fmt::format_to(std::back_inserter(out), "{:x}\r\n", piece_.size() + 1000);
      out += piece_;
    } else {
      if (!piece_.empty()) AppendChunk(piece_, out);
      if (!more) out += "0\r\n\r\n";
    }
    return more && !cut_now;
  }

  Response response_;
  bool head_only_, keep_alive_;
  std::string_view server_;
  std::optional<Gzip> gzip_;
  std::string piece_, packed_;
  bool begun_ = false, chunked_ = false;
  uint64_t sent_ = 0;
};

Request ToRequest(http::request<http::string_body>&& message, size_t head_bytes,
                  std::string client) {
  Request request;
  const auto method = message.method_string();
  request.method.assign(method.data(), method.size());
  request.target.assign(message.target().data(), message.target().size());
  for (const auto& field : message) {
    request.headers.emplace_back(
        std::string(field.name_string().data(), field.name_string().size()),
        std::string(field.value().data(), field.value().size()));
  }
  request.body = std::move(message.body());
  request.client = std::move(client);
  request.head_bytes = head_bytes;
  return request;
}

tcp::socket& SocketOf(beast::tcp_stream& stream) {
  return stream.socket();
}
tcp::socket& SocketOf(net::ssl::stream<beast::tcp_stream>& stream) {
  return stream.next_layer().socket();
}
beast::tcp_stream& TcpOf(beast::tcp_stream& stream) {
  return stream;
}
beast::tcp_stream& TcpOf(net::ssl::stream<beast::tcp_stream>& stream) {
  return stream.next_layer();
}

// An abortive close: the peer sees a connection reset.
void Reset(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(net::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace

struct Server::Impl {
  Impl(Options given, Handler answer)
      : options(std::move(given)),
        handler(std::move(answer)),
        context(options.threads),
        acceptor(context) {}

  Options options;
  Handler handler;
  std::atomic<uint64_t> bytes_sent = 0;
  std::optional<net::ssl::context> tls;
  net::io_context context;
  tcp::acceptor acceptor;
  uint16_t port = 0;
  std::vector<std::jthread> threads;

  Status UseTls(const TlsIdentity& identity) {
    error_code error;
    tls.emplace(net::ssl::context::tls_server);
    tls->set_options(net::ssl::context::default_workarounds | net::ssl::context::no_tlsv1 |
                         net::ssl::context::no_tlsv1_1,
                     error);
    tls->use_certificate_chain(net::buffer(identity.certificate_pem), error);
    if (!error) tls->use_private_key(net::buffer(identity.key_pem), net::ssl::context::pem, error);
    if (error)
      return Fail(ErrorKind::kInvalid, "the certificate cannot be used: {}", error.message());
    return {};
  }

  Status Listen() {
    error_code error;
    const auto address = net::ip::make_address(options.address, error);
    if (error) return Fail(ErrorKind::kInvalid, "'{}' is no address to listen on", options.address);
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
    if (error) {
      return Fail(ErrorKind::kInvalid, "cannot listen on {}:{}: {}", options.address, options.port,
                  error.message());
    }
    port = acceptor.local_endpoint().port();
    return {};
  }

  net::awaitable<void> Accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(net::make_strand(context), kAwait);
      if (error == net::error::operation_aborted) co_return;
      if (error) {  // out of descriptors, most likely: give others time to end
        net::steady_timer pause(context, std::chrono::milliseconds(20));
        co_await pause.async_wait(kAwait);
        continue;
      }
      const auto executor = socket.get_executor();
      net::co_spawn(executor, Welcome(std::move(socket)), net::detached);
    }
  }

  net::awaitable<void> Welcome(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto endpoint = socket.remote_endpoint(ignored);
    const std::string client = endpoint.address().to_string();
    if (!tls) {
      beast::tcp_stream stream(std::move(socket));
      co_await Converse(stream, client);
      co_return;
    }
    net::ssl::stream<beast::tcp_stream> stream(beast::tcp_stream(std::move(socket)), *tls);
    stream.next_layer().expires_after(kIdle);
    const auto [failed] = co_await stream.async_handshake(net::ssl::stream_base::server, kAwait);
    if (failed) co_return;
    if (co_await Converse(stream, client)) co_await stream.async_shutdown(kAwait);
  }

  // Serves one connection until it ends; true if it ended in order.
  template <typename Stream>
  net::awaitable<bool> Converse(Stream& stream, const std::string& client) {
    beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(kHeadBytesMax);
      parser.body_limit(options.body_bytes_max);
      TcpOf(stream).expires_after(kIdle);
      const auto [failed, head_bytes] =
          co_await http::async_read_header(stream, buffer, parser, kAwait);
      if (failed == http::error::end_of_stream) co_return true;
      if (failed) {
        co_await Refuse(stream, failed);
        co_return false;
      }
      if (EqualsFolded(
              {parser.get()[http::field::expect].data(), parser.get()[http::field::expect].size()},
              "100-continue")) {
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await net::async_write(stream, net::buffer(kContinue), kAwait);
      }
      const auto [body_failed, body_bytes] =
          co_await http::async_read(stream, buffer, parser, kAwait);
      if (body_failed) {
        co_await Refuse(stream, body_failed);
        co_return false;
      }
      // Here an upgrade to a WebSocket would leave for a handler of its own.
      const bool keep_alive = parser.get().keep_alive();
      const Request request = ToRequest(parser.release(), head_bytes, client);
      if (!co_await Answer(stream, request, keep_alive)) co_return false;
      if (!keep_alive) co_return true;
    }
  }

  // False if the connection must not be used any more.
  template <typename Stream>
  net::awaitable<bool> Answer(Stream& stream, const Request& request, bool keep_alive) {
    Outgoing outgoing(handler(request), request, keep_alive, options.server_header);
    const Mishap& mishap = outgoing.mishap();
    if (mishap.delay > Duration{}) co_await Pause(mishap.delay);
    if (mishap.kind == Mishap::Kind::kHangUp) co_return false;
    if (mishap.kind == Mishap::Kind::kNoAnswer) {
      co_await HoldOpen(stream);
      co_return false;
    }
    std::string bytes;
    for (bool more = true; more && !outgoing.IsStuck();) {
      more = outgoing.Next(bytes);
      if (mishap.kind == Mishap::Kind::kCutHead) {
        bytes.resize(bytes.find("\r\n") + 2);
        more = false;
      }
      TcpOf(stream).expires_after(kIdle);
      bytes_sent += bytes.size();  // before a client can have them, who may ask for the count
      const auto [failed, sent] = co_await net::async_write(stream, net::buffer(bytes), kAwait);
      if (failed) co_return false;
      if (mishap.pause_per_piece > Duration{}) co_await Pause(mishap.pause_per_piece);
    }
    if (mishap.kind == Mishap::Kind::kStall || outgoing.IsStuck()) {
      co_await HoldOpen(stream);
      co_return false;
    }
    if (mishap.kind == Mishap::Kind::kReset) Reset(SocketOf(stream));
    co_return mishap.kind == Mishap::Kind::kNone;
  }

  static net::awaitable<void> Pause(Duration span) {
    net::steady_timer timer(co_await net::this_coro::executor, span.chrono());
    co_await timer.async_wait(kAwait);
  }

  // Says nothing until the client gives up.
  template <typename Stream>
  net::awaitable<void> HoldOpen(Stream& stream) {
    TcpOf(stream).expires_after(kHeld);
    std::array<char, 512> ignored;
    for (;;) {
      const auto [failed, bytes] = co_await stream.async_read_some(net::buffer(ignored), kAwait);
      if (failed) co_return;
    }
  }

  // Says what was wrong with a request that could not be read; silent if the connection broke.
  template <typename Stream>
  net::awaitable<void> Refuse(Stream& stream, error_code why) {
    static const auto& http_errors = http::make_error_code(http::error::bad_method).category();
    if (why.category() != http_errors || why == http::error::partial_message) co_return;
    const int status = why == http::error::body_limit ? 413 : 400;
    const std::string answer = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Length: 0\r\nConnection: close\r\nServer: {}\r\n\r\n", status,
        ReasonPhrase(status), options.server_header);
    co_await net::async_write(stream, net::buffer(answer), kAwait);
  }
};

Result<std::unique_ptr<Server>> Server::Start(Options options, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  if (impl->options.tls) RETURN_IF_ERROR(impl->UseTls(*impl->options.tls));
  RETURN_IF_ERROR(impl->Listen());
  net::co_spawn(impl->context, impl->Accept(), net::detached);
  for (int i = 0; i < impl->options.threads; ++i) {
    impl->threads.emplace_back([context = &impl->context] { context->run(); });
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  impl_->context.stop();
  impl_->threads.clear();  // joins
}

uint16_t Server::port() const {
  return impl_->port;
}
uint64_t Server::bytes_sent() const {
  return impl_->bytes_sent;
}

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (EqualsFolded(header, name)) return value;
  }
  return {};
}

std::string_view ReasonPhrase(int status) {
  if (status == 207) return "Multi-Status";
  const auto text = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {text.data(), text.size()};
}

}  // namespace pilake::web
