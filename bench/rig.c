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

#include <inttypes.h>
#include <math.h>

#include "said.h"
#include "count.h"
#include "links.h"

enum { BATCH = 256, MOST_BROKEN = 10000, PATIENCE = 30 };
// Longer requests are not kept, only counted: copying them would make the rig the limit.
enum { LOOKED_THROUGH = 16384 };

static struct link *queue[LINKS], *resting[LINKS];
static unsigned first_queued, queued_count, resting_count, open_count;
static uint64_t window, stop;  // queries count from `window` on; none is sent after `stop`
static uint64_t interval;      // of events, in nanoseconds

// -- the provider -----------------------------------------------------------------------------

// The queue is in order of time. What joins it nearly always belongs to its end: answers wait
// equally long, and streams have the same pace.
static bool enqueue(struct link *p, uint64_t due)
{
    p->due = due;
    if (p->queued) return true;  // as the connection that had this descriptor before
    unsigned at = first_queued + queued_count++;
    for (; at != first_queued && queue[(at - 1) % LINKS]->due > due; at--)
        queue[at % LINKS] = queue[(at - 1) % LINKS];
    queue[at % LINKS] = p;
    return p->queued = true;
}

static bool answer(struct link *p, const struct text *text)
{
    p->held = NULL;
    if (text != &stream) return begin(p, text, text->length);
    return begin(p, &stream, stream_head) && enqueue(p, clock_ns() + interval);
}

static bool answer_when_due(struct link *p, const struct text *text)
{
    if (!set.delay_us) return answer(p, text);
    p->held = text;
    return enqueue(p, clock_ns() + (uint64_t)set.delay_us * 1000);
}

static const struct text *chosen(bool streamed)
{
    return streamed ? &stream : &whole;
}

static bool is_chat(const char *end)
{
    const char *line = memchr(scratch, '\r', (size_t)(end - scratch));
    return line && memmem(scratch, (size_t)(line - scratch), "/chat/completions HTTP", 22);
}

static bool provider_readable(struct link *p)
{
    ssize_t n = receive(p);
    if (n <= 0) return n == 0;
    if (p->left) {
        p->left -= (size_t)n < p->left ? (size_t)n : p->left;
        return p->left || answer_when_due(p, chosen(set.stream));
    }
    char *body = after_head((size_t)n);
    const char *told = body ? header(body, "content-length:") : NULL;
    size_t length = told ? strtoul(told, NULL, 10) : 0;
    size_t there = body ? (size_t)(scratch + n - body) : 0;
    if (body && !is_chat(body)) return answer_when_due(p, &not_found);
    if (body && there < length && length > LOOKED_THROUGH) {
        p->left = length - there;
        return true;
    }
    if (!body || there < length) return keep(p, (size_t)n);
    return answer_when_due(p, chosen(wants_stream(body, length)));
}

// Send what is allowed; a stream whose events are on their way queues again for the next ones.
static bool provider_writable(struct link *p)
{
    if (!flush(p)) return false;
    if (p->sent < p->allowed) count.stalled++;
    bool more = p->sent == p->allowed && p->sent < p->out->length;
    if (!more) return true;
    return enqueue(p, p->due + interval);
}

static bool send_events(struct link *p, uint64_t now)
{
    size_t from = p->allowed;
    p->allowed += event_bytes * (size_t)set.burst;
    if (p->allowed >= events_end) p->allowed = stream.length;
    if (interval) stamp(from, p->allowed, now);
    return provider_writable(p);
}

static void lose(struct link *l);

// Give what is due its turn: once around, so that everybody else gets one. Return how many had.
static unsigned step_queue(uint64_t now)
{
    unsigned done = 0;
    for (unsigned turns = queued_count; turns && queue[first_queued]->due <= now; turns--, done++) {
        struct link *p = queue[first_queued];
        first_queued = (first_queued + 1) % LINKS;
        queued_count--;
        p->queued = false;
        if (p->kind != PROVIDER) continue;  // it was lost while it queued
        bool alive = p->held ? answer(p, p->held)
                   : p->out != &stream || send_events(p, interval ? clock_ns() : now);
        if (!alive) lose(p);
    }
    return done;
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

// Return the time from a query to the next one: in a closed loop, from one client's first query to
// the next client's. Chance has a seed: every system is asked at the same moments.
static uint64_t gap(void)
{
    static uint64_t seed = 88172645463325252u;
    if (set.rate == 0) return (uint64_t)set.spread_us * 1000 / (uint64_t)set.connections;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    double share = set.poisson ? -log(((double)(seed >> 11) + .5) / 9007199254740992.) : 1;
    return (uint64_t)(share * (double)SECOND / set.rate);
}

static void ask_what_is_due(uint64_t now)
{
    static uint64_t due;
    if (!due) due = now;
    for (; resting_count && now < stop && due <= now; due += gap()) {
        struct link *c = resting[--resting_count];
        if (!ask(c, set.rate > 0 ? due : now)) lose(c);
    }
}

static void note(const struct link *c, uint64_t now)
{
    bool good = c->status >= 200 && c->status < 300;
    const struct text *wanted = chosen(set.stream);
    count.answered += good;
    count.failed += !good;
    count.wrong_size += good && (c->marks != wanted->marks ||
                                 (!set.rewritten && c->body != wanted->body));
    // In an open loop a query belongs to the moment it was due: a late answer must not fall out.
    uint64_t belongs = set.rate > 0 ? c->began : now;
    if (belongs < window || belongs >= stop) return;
    count.completed++;
    note_time(&count.latencies, now - c->began);
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
    c->size = c->marks = c->digits = 0;
    c->last = length != NULL;
    c->left = c->body = length ? strtoul(length, NULL, 10) : 0;
    return length || (coding && strncasecmp(coding, "chunked", 7) == 0);
}

// Take one byte of a chunk's size line. Every chunk ends with CRLF, the empty last one as well.
static void read_size_line(struct link *c, char byte)
{
    if (byte >= '0' && byte <= '9') c->size = c->size * 16 + (size_t)(byte - '0');
    if (byte >= 'a' && byte <= 'f') c->size = c->size * 16 + (size_t)(byte - 'a' + 10);
    if (byte >= 'A' && byte <= 'F') c->size = c->size * 16 + (size_t)(byte - 'A' + 10);
    if (byte != '\n') return;
    c->last = c->size == 0;
    c->left = c->size + 2;
    c->body += c->size;
    c->size = 0;
}

// An event came whole up to its stamp: how long was it under way?
static void note_event(struct link *c, uint64_t now)
{
    count.events++;
    if (now < window || now >= stop) return;
    count.in_time++;
    if (c->stamp) note_time(&count.delays, now - c->stamp);
}

// Count the marks in a piece of a body, and read their stamps; a piece may end in the midst of one.
static void read_marks(struct link *c, const char *at, const char *end, uint64_t now)
{
    while (at < end) {
        for (; c->digits && at < end; at++) {
            if (*at == '\r' || *at == '\n') continue;  // between two chunks
            c->stamp = c->stamp << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
            if (--c->digits == 0) note_event(c, now);
        }
        const char *mark = at < end ? memchr(at, *MARK, (size_t)(end - at)) : NULL;
        if (!mark) return;
        c->marks++;
        c->stamp = 0;
        c->digits = set.stream && interval ? STAMP_DIGITS : 0;
        if (set.stream && !interval) note_event(c, now);
        at = mark + 1;
    }
}

// Pass over a body; true when the answer has ended.
static bool skim(struct link *c, const char *bytes, const char *end)
{
    uint64_t now = clock_ns();
    while (bytes < end && !(c->last && c->left == 0)) {
        size_t there = (size_t)(end - bytes), passed = there < c->left ? there : c->left;
        if (c->left == 0) {
            read_size_line(c, *bytes++);
            continue;
        }
        read_marks(c, bytes, bytes + passed, now);
        c->left -= passed, bytes += passed;
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
    l->held = NULL;
    if (l->kind == PROVIDER) {
        hang_up(l);
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
    for (long i = 0; i < set.connections; i++) resting[resting_count++] = connect_client(-1);
    uint64_t began = clock_ns(), before = began;
    window = began + (uint64_t)(set.warmup * (double)SECOND);
    stop = window + (uint64_t)(set.seconds * (double)SECOND);
    struct epoll_event events[BATCH];
    while (before < stop || (open_count && before < stop + PATIENCE * SECOND)) {
        int n = epoll_wait(poller, events, BATCH, set.sleep && !queued_count);
        for (int i = 0; i < n; i++) serve(&events[i]);
        uint64_t now = clock_ns();
        bool idle = !step_queue(now) && n == 0;
        if (idle && now > window && now < stop) count.idle += now - before;
        if (resting_count) ask_what_is_due(now);
        before = now;
    }
    count.wall = before - began;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    make_whole();
    make_stream();
    make_query();
    load_tls();
    interval = (uint64_t)set.interval_us * 1000;
    poller = epoll_create1(0);
    listen_as_provider();
    run();
    report(open_count, read_clock(CLOCK_PROCESS_CPUTIME_ID));
}
