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
#include <deque>
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
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "web/outgoing.h"

namespace pilake::web {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using net::ip::tcp;

constexpr auto kAwait = net::as_tuple(net::use_awaitable);
constexpr auto kIdle = std::chrono::seconds(120);
constexpr auto kHeld = std::chrono::minutes(15);  // longer than any client waits
constexpr uint32_t kHeadBytesMax = 256 << 10;
constexpr size_t kReadBytesMax = 64 << 10;  // of a client's message, which nobody reads
constexpr uint16_t kTryAgainLater = 1013;

bool EqualsFolded(std::string_view a, std::string_view b) {
  return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

using Message = http::request<http::string_body>;

// All but the body stays there.
Request ToRequest(Message& message, size_t head_bytes, std::string client) {
  Request request;
  request.is_upgrade = websocket::is_upgrade(message);
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

// One WebSocket: asked for news by one coroutine, written by another, listened to by a third, all
// on one strand.
template <typename Stream>
struct Socket {
  Socket(Stream& stream, const net::any_io_executor& executor, std::unique_ptr<Pusher> what)
      : wire(stream), work(executor), pause(executor), done(executor), pusher(std::move(what)) {
    work.expires_at(net::steady_timer::time_point::max());
    done.expires_at(net::steady_timer::time_point::max());
  }

  websocket::stream<Stream&> wire;
  net::steady_timer work, pause, done;  // cancelled to wake who waits
  std::unique_ptr<Pusher> pusher;
  std::deque<std::string> queue;
  size_t queued_bytes = 0;
  bool has_ended = false;
  int running = 0;

  void End() {
    has_ended = true;
    work.cancel();
    pause.cancel();
  }
  // Of a coroutine, the last thing it does.
  void Leave() {
    End();
    if (--running == 0) done.cancel();
  }
};

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
      Message message = parser.release();
      const bool keep_alive = message.keep_alive();
      const Request request = ToRequest(message, head_bytes, client);
      Response response = handler(request);
      if (response.pusher != nullptr) {
        co_await Push(stream, message, std::move(response));
        co_return false;
      }
      if (!co_await Answer(stream, request, std::move(response), keep_alive)) co_return false;
      if (!keep_alive) co_return true;
    }
  }

  // False if the connection must not be used any more.
  template <typename Stream>
  net::awaitable<bool> Answer(Stream& stream, const Request& request, Response response,
                              bool keep_alive) {
    Outgoing outgoing(std::move(response), request, keep_alive, options.server_header);
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

  // Upgrades the connection and sends what its pusher has until either side ends it.
  template <typename Stream>
  net::awaitable<void> Push(Stream& stream, const Message& message, Response response) {
    const auto executor = co_await net::this_coro::executor;
    const auto socket =
        std::make_shared<Socket<Stream>>(stream, executor, std::move(response.pusher));
    TcpOf(stream).expires_never();  // the WebSocket has timers of its own
    socket->wire.set_option(websocket::stream_base::timeout{std::chrono::seconds(10),
                                                            websocket::stream_base::none(), false});
    socket->wire.set_option(websocket::stream_base::decorator(
        [headers = std::move(response.headers),
         server = options.server_header](websocket::response_type& answer) {
          for (const auto& [name, value] : headers) answer.insert(name, value);
          answer.set(http::field::server, server);
        }));
    socket->wire.auto_fragment(false);
    socket->wire.read_message_max(kReadBytesMax);
    const auto [failed] = co_await socket->wire.async_accept(message, kAwait);
    if (failed) co_return;
    socket->wire.text(true);
    socket->running = 2;
    net::co_spawn(executor, Listen(socket), net::detached);
    net::co_spawn(executor, Write(socket), net::detached);
    co_await Ask(*socket, response.outgoing_bytes_max);
    socket->End();
    error_code ignored;
    SocketOf(stream).close(ignored);
    if (socket->running > 0) co_await socket->done.async_wait(kAwait);
  }

  // Nothing is expected of the client; pings and closes are answered on the way.
  template <typename Stream>
  static net::awaitable<void> Listen(std::shared_ptr<Socket<Stream>> socket) {
    beast::flat_buffer ignored;
    for (;;) {
      const auto [failed, bytes] = co_await socket->wire.async_read(ignored, kAwait);
      if (failed) break;
      ignored.clear();
    }
    socket->Leave();
  }

  template <typename Stream>
  net::awaitable<void> Write(std::shared_ptr<Socket<Stream>> socket) {
    while (!socket->has_ended) {
      if (socket->queue.empty()) {
        co_await socket->work.async_wait(kAwait);
        continue;
      }
      bytes_sent += socket->queue.front().size();
      const auto [failed, bytes] =
          co_await socket->wire.async_write(net::buffer(socket->queue.front()), kAwait);
      if (failed) break;
      socket->queued_bytes -= socket->queue.front().size();
      socket->queue.pop_front();
      socket->pause.cancel();
    }
    socket->Leave();
  }

  template <typename Stream>
  static net::awaitable<void> Ask(Socket<Stream>& socket, size_t bytes_max) {
    while (!socket.has_ended) {
      Pusher::Turn turn = socket.pusher->Next();
      for (std::string& message : turn.messages) {
        socket.queued_bytes += message.size();
        socket.queue.push_back(std::move(message));
      }
      socket.work.cancel();
      if (socket.queued_bytes > bytes_max) {
        turn.end = socket.pusher->TooSlow();
        turn.close_code = kTryAgainLater;
        socket.queue.resize(std::min<size_t>(socket.queue.size(), 1));  // the one on its way
      }
      if (turn.end != Pusher::End::kNone) co_return co_await Finish(socket, turn);
      const auto next = std::chrono::steady_clock::now() + turn.wait.chrono();
      while (!socket.has_ended && std::chrono::steady_clock::now() < next) {
        socket.pause.expires_at(next);
        co_await socket.pause.async_wait(kAwait);
      }
    }
  }

  // What is queued still goes out before a close.
  template <typename Stream>
  static net::awaitable<void> Finish(Socket<Stream>& socket, const Pusher::Turn& turn) {
    if (turn.end == Pusher::End::kCut) co_return;
    const auto patience =
        turn.end == Pusher::End::kStall ? std::chrono::seconds(kHeld) : std::chrono::seconds(10);
    const auto latest = std::chrono::steady_clock::now() + patience;
    const auto waits = [&] { return turn.end == Pusher::End::kStall || !socket.queue.empty(); };
    while (!socket.has_ended && waits() && std::chrono::steady_clock::now() < latest) {
      socket.pause.expires_at(latest);
      co_await socket.pause.async_wait(kAwait);
    }
    if (turn.end == Pusher::End::kStall || socket.has_ended || !socket.queue.empty()) co_return;
    co_await socket.wire.async_close(websocket::close_code(turn.close_code), kAwait);
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
