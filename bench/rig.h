// What the rig says and how it is told: everything that is made before its clock starts.
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_TOKENS = 200, OUTPUT_TOKENS = 100, EVENT_BYTES = 250, QUERY_BYTES = 1000 };

struct text {
    char *bytes;
    size_t length;
    size_t body;  // of an answer: how long its body is without the framing
};

static struct {
    long mock_port, target, connections, events, burst, interval_us, answer_bytes;
    double rate, warmup, seconds;
    bool stream;
    const char *path;
    char headers[8192], *body;
} set = {.connections = 64, .events = 200, .burst = 10, .answer_bytes = 1000, .warmup = 0.5,
         .seconds = 3, .path = "/v1/chat/completions"};

static struct text query, whole, stream;
static size_t stream_head, burst_bytes;

static void die(const char *what)
{
    fprintf(stderr, "rig: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static bool wants_stream(const char *body, size_t length)
{
    const char *found = memmem(body, length, "\"stream\":", 9);
    return found && strncmp(found + 9 + (found[9] == ' '), "true", 4) == 0;
}

// -- what is sent -----------------------------------------------------------------------------

// Return a text of a given length: a beginning, an end, and words between them.
static char *filled(const char *before, const char *after, long length)
{
    static const char words[] = "A farthing was a quarter of a penny, and bought little. ";
    char *made = malloc((size_t)length + strlen(before) + strlen(after) + 1), *end = made;
    end = stpcpy(end, before);
    for (long i = 0; end - made + (long)strlen(after) < length; i++)
        *end++ = words[(size_t)i % (sizeof words - 1)];
    strcpy(end, after);
    return made;
}

#define ANSWER "\"id\":\"chatcmpl-Df3sT9pQv5rXk1LmWz7Hc2Yb\",\"created\":1790000000,\"model\":\"bench-1\","
#define USAGE "\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%ld,\"total_tokens\":%ld," \
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}," \
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}}"
// About as many headers, and as long ones, as a provider sends.
#define HEAD "HTTP/1.1 200 OK\r\nDate: Sun, 01 Nov 2026 12:00:00 GMT\r\nServer: rig\r\n" \
    "X-Request-Id: req_0b7e4c19a2d84f6f93c58d1e6a70f2b4\r\nX-Accel-Buffering: no\r\n" \
    "Openai-Processing-Ms: 9\r\nOpenai-Version: 2020-10-01\r\n" \
    "X-Ratelimit-Limit-Requests: 30000\r\nX-Ratelimit-Remaining-Requests: 29999\r\n"

static void make_whole(void)
{
    char end[512];
    snprintf(end, sizeof end, "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE "}",
             INPUT_TOKENS, (long)OUTPUT_TOKENS, (long)INPUT_TOKENS + OUTPUT_TOKENS);
    char *body = filled("{" ANSWER "\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                        "\"message\":{\"role\":\"assistant\",\"content\":\"", end, set.answer_bytes);
    whole.body = strlen(body);
    whole.length = (size_t)asprintf(
        &whole.bytes, HEAD "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        whole.body, body);
}

static void add_chunk(FILE *file, const char *data)
{
    fprintf(file, "%zx\r\n%s\r\n", strlen(data), data);
    stream.body += strlen(data);
}

static void make_stream(void)
{
    FILE *file = open_memstream(&stream.bytes, &stream.length);
    char *event = filled("data: {" ANSWER "\"object\":\"chat.completion.chunk\",\"choices\":[{"
                         "\"index\":0,\"delta\":{\"content\":\"",
                         "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", EVENT_BYTES);
    char usage[512];
    snprintf(usage, sizeof usage, "data: {" ANSWER "\"object\":\"chat.completion.chunk\","
             "\"choices\":[]," USAGE "}\n\n", INPUT_TOKENS, set.events, INPUT_TOKENS + set.events);
    fputs(HEAD "Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
          "Cache-Control: no-cache\r\n\r\n", file);
    fflush(file);
    stream_head = stream.length;
    for (long i = 0; i < set.events; i++) add_chunk(file, event);
    fflush(file);
    burst_bytes = (stream.length - stream_head) / (size_t)set.events * (size_t)set.burst;
    add_chunk(file, usage);
    add_chunk(file, "data: [DONE]\n\n");
    fputs("0\r\n\r\n", file);
    fclose(file);
}

static void make_query(void)
{
    const char *before = set.stream
        ? "{\"model\":\"bench-1\",\"max_tokens\":256,\"stream\":true,\"stream_options\":"
          "{\"include_usage\":true},\"messages\":[{\"role\":\"user\",\"content\":\""
        : "{\"model\":\"bench-1\",\"max_tokens\":256,\"messages\":[{\"role\":\"user\","
          "\"content\":\"";
    char *body = set.body ? set.body : filled(before, "\"}]}", QUERY_BYTES);
    set.stream = wants_stream(body, strlen(body));
    query.length = (size_t)asprintf(
        &query.bytes, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nUser-Agent: rig\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n"
        "\r\n%s", set.path, set.target, set.headers, strlen(body), body);
}

// -- the command line -------------------------------------------------------------------------

static const char help[] =
    "usage: rig --mock-port PORT [--target PORT] [options]\n\n"
    "Asks a gateway that listens on 127.0.0.1, answers it as its provider, and prints one line\n"
    "of JSON. Pin it to a core of its own (taskset -c 1): it never sleeps.\n\n"
    "  --mock-port PORT     where it listens as an OpenAI-style provider\n"
    "  --target PORT        the gateway's port; without it the rig asks itself: its ceiling\n"
    "  --path PATH          the path asked for (/v1/chat/completions)\n"
    "  --header 'N: VALUE'  one more header of the query; may be repeated\n"
    "  --body JSON          the query's body, instead of one of about 1 kB\n"
    "  --stream             ask for streams instead of whole answers\n"
    "  --connections N      kept-alive connections; each asks again once it is answered (64)\n"
    "  --rate Q             an open loop: Q queries a second, evenly, whatever is answered;\n"
    "                       latency then counts from when a query should have been sent\n"
    "  --seconds S          how long it counts (3), after ...\n"
    "  --warmup S           ... it has run for this long uncounted (0.5)\n"
    "  --answer-bytes N     length of a whole answer's body (1000)\n"
    "  --events N           events of 250 bytes in a stream (200)\n"
    "  --burst N            events that leave in one write (10)\n"
    "  --interval-us N      pause between the bursts of a stream (0)\n";

enum option_number { MOCK_PORT = 1, TARGET, PATH, HEADER, BODY, STREAM, CONNECTIONS, RATE,
                     SECONDS, WARMUP, ANSWER_BYTES, EVENTS, BURST, INTERVAL, HELP };

static const struct option options[] = {
    {"mock-port", 1, 0, MOCK_PORT}, {"target", 1, 0, TARGET}, {"path", 1, 0, PATH},
    {"header", 1, 0, HEADER}, {"body", 1, 0, BODY}, {"stream", 0, 0, STREAM},
    {"connections", 1, 0, CONNECTIONS}, {"rate", 1, 0, RATE}, {"seconds", 1, 0, SECONDS},
    {"warmup", 1, 0, WARMUP}, {"answer-bytes", 1, 0, ANSWER_BYTES}, {"events", 1, 0, EVENTS},
    {"burst", 1, 0, BURST}, {"interval-us", 1, 0, INTERVAL}, {"help", 0, 0, HELP}, {0}};

static void add_header(const char *line)
{
    size_t length = strlen(set.headers);
    int n = snprintf(set.headers + length, sizeof set.headers - length, "%s\r\n", line);
    if (n >= (int)(sizeof set.headers - length)) die("the headers are too long");
}

static void read_options(int argc, char **argv)
{
    long *numbers[] = {[MOCK_PORT] = &set.mock_port, [TARGET] = &set.target,
                       [CONNECTIONS] = &set.connections, [ANSWER_BYTES] = &set.answer_bytes,
                       [EVENTS] = &set.events, [BURST] = &set.burst, [INTERVAL] = &set.interval_us};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == HELP) exit(fputs(help, stdout) < 0);
        else if (o == '?') exit(2);
        else if (o == PATH) set.path = optarg;
        else if (o == HEADER) add_header(optarg);
        else if (o == BODY) set.body = optarg;
        else if (o == STREAM) set.stream = true;
        else if (o == RATE) set.rate = atof(optarg);
        else if (o == SECONDS) set.seconds = atof(optarg);
        else if (o == WARMUP) set.warmup = atof(optarg);
        else *numbers[o] = atol(optarg);
    }
    if (set.mock_port <= 0 || set.connections < 1 || set.events < 1 || set.burst < 1)
        die("wrong options; see --help");
    if (!set.target) set.target = set.mock_port;
}
