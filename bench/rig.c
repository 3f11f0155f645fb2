// Both ends of a gateway's benchmark in one thread: the clients that ask, and the provider that
// answers.
//
// A gateway sits between two peers. Were they ordinary sleeping processes, every packet would
// wake one of them on another core, and in a virtual machine the gateway would be charged for
// that wake-up. This thread never sleeps and is both peers: give it a core of its own.
//
// While it runs nothing is allocated and nothing formatted: the query and the answers are made
// once, and a message costs one system call.
#include "rig.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINKS = 1 << 16, BATCH = 256, SCRATCH = 1 << 20, MOST_BROKEN = 10000 };
enum { FINE = 128, SLOTS = 64 * FINE };  // latencies are kept to one part in FINE
static const uint64_t SECOND = 1000000000;

enum kind { LISTENER, PROVIDER, CLIENT };

struct link {  // one TCP connection, or the listening socket; found by its descriptor
    enum kind kind;
    int fd;
    const struct text *out;  // being sent: its bytes from `sent` up to `allowed`
    size_t sent, allowed;
    struct text kept;  // received, but not yet a whole head (CLIENT) or request (PROVIDER)
    size_t room;
    uint64_t due;   // PROVIDER: when the stream's next events are sent
    bool queued;    // PROVIDER: it stands in the queue of streams
    bool asked;     // CLIENT: a query is under way
    bool in_body;   // CLIENT: its answer's head has been read
    bool last;      // CLIENT: nothing follows the present piece of the body
    uint64_t began; // CLIENT: when the query was sent, or should have been
    size_t left;    // CLIENT: bytes of the present piece still to come
    size_t size;    // CLIENT: the next chunk's size as far as its line was read
    size_t body;    // CLIENT: length of the body so far, without the framing
    int status;
};

static struct {
    uint64_t sent, completed, answered, failed, broken, wrong_size, longest, idle, wall;
    uint64_t latencies[SLOTS];
} count;

static struct link links[LINKS], *streams[LINKS], *resting[LINKS];
static unsigned first_stream, stream_count, resting_count, open_count;
static char scratch[SCRATCH + 64];  // a search for a header may look past the last byte
static bool scratch_filled;
static uint64_t window, stop;  // queries count from `window` on; none is sent after `stop`
static int poller;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

// -- connections ------------------------------------------------------------------------------

// Edge-triggered and registered once for everything: a silent connection is never asked about.
static struct link *watch(int fd, enum kind kind)
{
    if (fd < 0 || fd >= LINKS) die("no connection");
    struct link *l = &links[fd];
    // The buffer and the place in the queue belong to the descriptor and outlive a connection.
    *l = (struct link){.kind = kind, .fd = fd, .kept.bytes = l->kept.bytes, .room = l->room,
                       .queued = l->queued};
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.fd = fd}};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e)) die("epoll_ctl");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);  // no pacing on the loopback
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

// Send what may be sent now; false when the connection is lost.
static bool flush(struct link *l)
{
    while (l->sent < l->allowed) {
        ssize_t n = send(l->fd, l->out->bytes + l->sent, l->allowed - l->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
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
    ssize_t n = recv(l->fd, scratch + kept, SCRATCH - kept, MSG_DONTWAIT);
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

// -- the provider -----------------------------------------------------------------------------

// All streams have the same pace, so the one that was queued first is always the next one due.
static bool enqueue(struct link *p, uint64_t due)
{
    p->due = due;
    if (!p->queued) streams[(first_stream + stream_count++) % LINKS] = p;
    return p->queued = true;
}

static bool provider_readable(struct link *p)
{
    ssize_t n = receive(p);
    if (n <= 0) return n == 0;
    char *body = after_head((size_t)n);
    const char *told = body ? header(body, "content-length:") : NULL;
    size_t length = told ? strtoul(told, NULL, 10) : 0;
    if (!body || body + length > scratch + n) return keep(p, (size_t)n);
    if (!wants_stream(body, length)) return begin(p, &whole, whole.length);
    return begin(p, &stream, stream_head) && enqueue(p, 0);
}

// Send what is allowed; a stream whose events are on their way queues again for the next ones.
static bool provider_writable(struct link *p)
{
    if (!flush(p)) return false;
    bool more = p->sent == p->allowed && p->sent < p->out->length;
    return !more || enqueue(p, clock_ns() + (uint64_t)set.interval_us * 1000);
}

static void lose(struct link *l);

// Give each stream that is due its next events: once around, so that everybody else gets a turn.
static void step_streams(uint64_t now)
{
    for (unsigned turns = stream_count; turns && streams[first_stream]->due <= now; turns--) {
        struct link *p = streams[first_stream];
        first_stream = (first_stream + 1) % LINKS;
        stream_count--;
        p->queued = false;
        if (p->kind != PROVIDER || p->out != &stream) continue;  // it was lost while it queued
        p->allowed += burst_bytes;
        if (p->allowed > stream.length) p->allowed = stream.length;
        if (!provider_writable(p)) lose(p);
    }
}

// -- the clients ------------------------------------------------------------------------------

static bool ask(struct link *c, uint64_t began)
{
    c->began = began;
    c->asked = true;
    c->in_body = false;
    open_count++;
    count.sent++;
    return begin(c, &query, query.length);
}

// The next query of a closed loop goes at once; in an open loop it waits for its time.
static bool ask_or_rest(struct link *c, uint64_t now)
{
    if (set.rate == 0 && now < stop) return ask(c, now);
    resting[resting_count++] = c;
    return true;
}

static void ask_what_is_due(uint64_t now)
{
    static uint64_t asked, first;
    if (!first) first = now;
    for (; resting_count && now < stop; asked++) {
        uint64_t due = first + (uint64_t)((double)asked * (double)SECOND / set.rate);
        if (due > now) return;
        struct link *c = resting[--resting_count];
        if (!ask(c, due)) lose(c);
    }
}

static unsigned slot(uint64_t ns)
{
    int shift = ns < FINE ? 0 : 63 - __builtin_clzll(ns) - 7;  // FINE is 2 to the power of 7
    return (unsigned)(shift * FINE) + (unsigned)(ns >> shift);
}

static void note(const struct link *c, uint64_t now)
{
    bool good = c->status >= 200 && c->status < 300;
    count.answered += good;
    count.failed += !good;
    count.wrong_size += good && c->body != (set.stream ? &stream : &whole)->body;
    // In an open loop a query belongs to the moment it was due: a late answer must not fall out.
    uint64_t belongs = set.rate > 0 ? c->began : now;
    if (belongs < window || belongs >= stop) return;
    uint64_t took = now - c->began;
    count.completed++;
    count.latencies[slot(took)]++;
    if (took > count.longest) count.longest = took;
}

static bool answered(struct link *c)
{
    uint64_t now = clock_ns();
    c->asked = false;
    open_count--;
    note(c, now);
    return ask_or_rest(c, now);
}

static bool read_answer_head(struct link *c, const char *end)
{
    const char *length = header(end, "content-length:");
    const char *coding = header(end, "transfer-encoding:");
    c->status = atoi(scratch + sizeof "HTTP/1.1");
    c->in_body = true;
    c->size = 0;
    c->last = length != NULL;
    c->left = c->body = length ? strtoul(length, NULL, 10) : 0;
    return length || (coding && strncasecmp(coding, "chunked", 7) == 0);
}

// Take one byte of a chunk's size line. Every chunk ends with CRLF, the empty last one as well.
static void read_size_line(struct link *c, char byte)
{
    if (byte >= '0' && byte <= '9') c->size = c->size * 16 + (size_t)(byte - '0');
    if (byte >= 'a' && byte <= 'f') c->size = c->size * 16 + (size_t)(byte - 'a' + 10);
    if (byte != '\n') return;
    c->last = c->size == 0;
    c->left = c->size + 2;
    c->body += c->size;
    c->size = 0;
}

// Pass over a body; true when the answer has ended.
static bool skim(struct link *c, const char *bytes, const char *end)
{
    while (bytes < end && !(c->last && c->left == 0)) {
        size_t there = (size_t)(end - bytes), passed = there < c->left ? there : c->left;
        if (c->left == 0) read_size_line(c, *bytes++);
        else c->left -= passed, bytes += passed;
    }
    return c->last && c->left == 0;
}

static bool client_readable(struct link *c)
{
    ssize_t n = receive(c);
    if (n <= 0 || !c->asked) return n == 0;
    const char *bytes = scratch;
    if (!c->in_body) {
        bytes = after_head((size_t)n);
        if (!bytes) return keep(c, (size_t)n);
        if (!read_answer_head(c, bytes)) return false;
    }
    return !skim(c, bytes, scratch + n) || answered(c);
}

// -- both -------------------------------------------------------------------------------------

// A client that has lost its connection makes another one, as long as queries are sent.
static void lose(struct link *l)
{
    l->out = NULL;
    if (l->kind == PROVIDER) {
        close(l->fd);
        return;
    }
    bool asked = l->asked;
    l->asked = false;
    open_count -= asked;
    count.broken += asked;
    if (count.broken > MOST_BROKEN) die("the target breaks every connection");
    if (clock_ns() >= stop) return;
    connect_client(l->fd);
    if (asked && !ask_or_rest(l, clock_ns())) lose(l);
}

static bool readable(struct link *l)
{
    if (l->kind == LISTENER) return accept_all(l->fd);
    bool alive;
    do alive = l->kind == PROVIDER ? provider_readable(l) : client_readable(l);
    while (alive && scratch_filled);
    return alive;
}

static void serve(const struct epoll_event *e)
{
    struct link *l = &links[e->data.fd];
    bool alive = true;
    if (l->out && l->sent < l->allowed)
        alive = l->kind == PROVIDER ? provider_writable(l) : flush(l);
    if (alive && e->events & EPOLLIN) alive = readable(l);
    if (!alive || e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) lose(l);
}

static void run(void)
{
    uint64_t began = clock_ns(), before = began;
    window = began + (uint64_t)(set.warmup * (double)SECOND);
    stop = window + (uint64_t)(set.seconds * (double)SECOND);
    for (long i = 0; i < set.connections; i++) ask_or_rest(connect_client(-1), clock_ns());
    struct epoll_event events[BATCH];
    while (before < stop || (open_count && before < stop + 10 * SECOND)) {
        int n = epoll_wait(poller, events, BATCH, 0);
        for (int i = 0; i < n; i++) serve(&events[i]);
        uint64_t now = clock_ns();
        if (n == 0 && !stream_count && now > window && now < stop) count.idle += now - before;
        if (stream_count) step_streams(now);
        if (set.rate > 0) ask_what_is_due(now);
        before = now;
    }
    count.wall = before - began;
}

// -- the result ---------------------------------------------------------------------------------

static double percentile_us(double share)
{
    uint64_t wanted = (uint64_t)(share * (double)count.completed), seen = 0;
    unsigned i = 0;
    while (i < SLOTS - 1 && (seen += count.latencies[i]) <= wanted) i++;
    unsigned shift = i < 2 * FINE ? 0 : i / FINE - 1;
    return (double)((uint64_t)(i - shift * FINE) << shift) / 1000;
}

static void report(void)
{
    printf("{\"completed\":%" PRIu64 ",\"per_second\":%.1f,\"events_per_second\":%.1f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"sent\":%" PRIu64
           ",\"answered\":%" PRIu64 ",\"non_2xx\":%" PRIu64 ",\"broken\":%" PRIu64
           ",\"wrong_size\":%" PRIu64 ",\"unanswered\":%u,\"idle\":%.3f,\"on_core\":%.3f,"
           "\"input_tokens\":%d,\"output_tokens\":%ld}\n",
           count.completed, (double)count.completed / set.seconds,
           set.stream ? (double)count.completed * (double)set.events / set.seconds : 0,
           percentile_us(.5), percentile_us(.99), (double)count.longest / 1000, count.sent,
           count.answered, count.failed, count.broken, count.wrong_size, open_count,
           (double)count.idle / (double)SECOND / set.seconds,
           (double)read_clock(CLOCK_PROCESS_CPUTIME_ID) / (double)count.wall, INPUT_TOKENS,
           set.stream ? set.events : OUTPUT_TOKENS);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    make_whole();
    make_stream();
    make_query();
    poller = epoll_create1(0);
    listen_as_provider();
    run();
    report();
}
