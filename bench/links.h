// TCP connections, and TLS over those to the provider if it was compiled in and is asked for.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#else
typedef void SSL;
#endif

enum { LINKS = 1 << 16, SCRATCH = 1 << 20, SEND_BUFFER = 1 << 19 };
enum kind { LISTENER, PROVIDER, CLIENT };

struct link {  // one TCP connection, or the listening socket; found by its descriptor
    enum kind kind;
    int fd;
    SSL *tls;                 // PROVIDER: if it speaks TLS
    const struct text *out;   // being sent: its bytes from `sent` up to `allowed`
    size_t sent, allowed;
    struct text kept;         // received, but not yet a whole head (CLIENT) or request (PROVIDER)
    size_t room;
    size_t left;              // bytes of the present piece (CLIENT) or request still to come
    uint64_t due;             // PROVIDER: when its answer, or the stream's next events, are sent
    bool queued;              // PROVIDER: it stands in the queue of what is due
    const struct text *held;  // PROVIDER: the answer that begins when it is due
    bool asked;               // CLIENT: a query is under way
    bool in_body;             // CLIENT: its answer's head has been read
    bool last;                // CLIENT: nothing follows the present piece of the body
    uint64_t began;           // CLIENT: when the query was sent, or should have been
    size_t size;              // CLIENT: the next chunk's size as far as its line was read
    size_t body;              // CLIENT: length of the body so far, without the framing
    size_t marks;             // CLIENT: marks in it so far
    unsigned digits;          // CLIENT: digits of a stamp that are still to come, and ...
    uint64_t stamp;           // ... the stamp as far as it was read
    int status;
};

static struct link links[LINKS];
static char scratch[SCRATCH + 64];  // a search for a header may look past the last byte
static bool scratch_filled;
static int poller;

// -- TLS ----------------------------------------------------------------------------------------

#ifdef TLS
static SSL_CTX *tls_context;

static void load_tls(void)
{
    if (!set.certificate) return;
    tls_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(tls_context, set.certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_context, set.key, SSL_FILETYPE_PEM) != 1)
        die("the certificate or its key cannot be read");
}

static SSL *begin_tls(int fd)
{
    if (!tls_context) return NULL;
    SSL *tls = SSL_new(tls_context);
    SSL_set_fd(tls, fd);
    SSL_set_accept_state(tls);
    return tls;
}

// As recv(2) and send(2) do: -1 with EAGAIN when nothing can be done now.
static ssize_t tls_result(SSL *tls, int n)
{
    if (n > 0) return n;
    int why = SSL_get_error(tls, n);
    ERR_clear_error();
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
}

// A call returns one record at most, but the kernel tells of what is there only once.
static ssize_t tls_receive(SSL *tls, char *bytes, size_t room)
{
    size_t got = 0;
    ssize_t n = 0;
    while (got < room && (n = tls_result(tls, SSL_read(tls, bytes + got, (int)(room - got)))) > 0)
        got += (size_t)n;
    return got ? (ssize_t)got : n;
}

static ssize_t tls_send(SSL *tls, const char *bytes, size_t length)
{
    return tls_result(tls, SSL_write(tls, bytes, (int)length));
}

static void end_tls(SSL *tls) { SSL_free(tls); }
#else
static void load_tls(void)
{
    if (set.certificate) die("it was compiled without TLS");
}
static SSL *begin_tls(int fd) { return fd < 0 ? &poller : NULL; }
static ssize_t tls_receive(SSL *tls, char *bytes, size_t room) { return tls && bytes && room; }
static ssize_t tls_send(SSL *tls, const char *bytes, size_t n) { return tls && bytes && n; }
static void end_tls(SSL *tls) { (void)tls; }
#endif

// -- connections --------------------------------------------------------------------------------

// Edge-triggered and registered once for everything: a silent connection is never asked about.
static struct link *watch(int fd, enum kind kind)
{
    if (fd < 0 || fd >= LINKS) die("no connection");
    struct link *l = &links[fd];
    // The buffer and the place in the queue belong to the descriptor and outlive a connection.
    *l = (struct link){.kind = kind, .fd = fd, .kept.bytes = l->kept.bytes, .room = l->room,
                       .queued = l->queued};
    if (kind == PROVIDER) l->tls = begin_tls(fd);
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.fd = fd}};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);  // no pacing on the loopback
    if (set.interval_us)  // a stream fits in, so that events leave when they should
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BUFFER}, sizeof(int));
    return l;
}

static struct sockaddr_in loopback(long port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void listen_as_provider(void)
{
    struct sockaddr_in address = loopback(set.mock_port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) die("listen");
    watch(fd, LISTENER);
}

// A lost connection's successor gets its descriptor, so that whoever points to it still may.
static struct link *connect_client(int lost)
{
    struct sockaddr_in address = loopback(set.target);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect to the target");
    if (lost >= 0) {
        dup2(fd, lost);
        close(fd);
    }
    return watch(lost >= 0 ? lost : fd, CLIENT);
}

static bool accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) watch(fd, PROVIDER);
    return true;
}

static void hang_up(struct link *l)
{
    if (l->tls) end_tls(l->tls);
    l->tls = NULL;
    close(l->fd);
}

// Send what may be sent now; false when the connection is lost.
static bool flush(struct link *l)
{
    while (l->sent < l->allowed) {
        const char *bytes = l->out->bytes + l->sent;
        size_t length = l->allowed - l->sent;
        ssize_t n = l->tls ? tls_send(l->tls, bytes, length)
                           : send(l->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) return errno == EAGAIN;
        l->sent += (size_t)n;
    }
    return true;
}

static bool begin(struct link *l, const struct text *text, size_t allowed)
{
    l->out = text;
    l->sent = 0;
    l->allowed = allowed;
    return flush(l);
}

// Read into `scratch`, behind what was kept of this connection; return how much is there now, 0
// when nothing came, -1 when the connection is lost. All connections share the one buffer, so it
// stays in the processor's cache; a message in pieces, which is rare, is copied.
static ssize_t receive(struct link *l)
{
    size_t kept = l->kept.length;
    if (kept) memcpy(scratch, l->kept.bytes, kept);
    ssize_t n = l->tls ? tls_receive(l->tls, scratch + kept, SCRATCH - kept)
                       : recv(l->fd, scratch + kept, SCRATCH - kept, MSG_DONTWAIT);
    scratch_filled = n == (ssize_t)(SCRATCH - kept);
    if (n <= 0) return n < 0 && errno == EAGAIN ? 0 : -1;
    l->kept.length = 0;
    return (ssize_t)kept + n;
}

static bool keep(struct link *l, size_t length)
{
    if (length >= SCRATCH) die("a message is longer than the rig can hold");
    if (length > l->room) l->kept.bytes = realloc(l->kept.bytes, l->room = 2 * length);
    memcpy(l->kept.bytes, scratch, length);
    l->kept.length = length;
    return true;
}

// Return what follows the blank line after a message's head, or NULL.
static char *after_head(size_t length)
{
    char *blank = memmem(scratch, length, "\r\n\r\n", 4);
    return blank ? blank + 4 : NULL;
}

// Return the value of a header of the whole head in `scratch`, or NULL. `name` has its colon.
static const char *header(const char *end, const char *name)
{
    for (const char *line = scratch; line < end; line++) {
        if (strncasecmp(line, name, strlen(name)) == 0) {
            line += strlen(name);
            return line + strspn(line, " ");
        }
        line = memchr(line, '\n', (size_t)(end - line));
    }
    return NULL;
}
