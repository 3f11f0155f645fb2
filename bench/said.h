// What is said by either end: made once, before the clock starts.
//
// In every event of a stream, and at both ends of a whole answer's text, stands a mark, with room
// for a time. Marks survive a gateway that writes answers anew: none may be missing.
enum { INPUT_TOKENS = 200, OUTPUT_TOKENS = 100, EVENT_BYTES = 250, STAMP_DIGITS = 16 };

#define MARK "@"
#define STAMP "0000000000000000"

struct text {
    char *bytes;
    size_t length;
    size_t body;   // of an answer: how long its body is without the framing
    size_t marks;  // and how many marks stand in it
};

static struct text query, whole, stream, not_found;
// Of a stream: where events begin and end, the length of one, and where in it its stamp stands.
static size_t stream_head, events_end, event_bytes, stamp_at;

static bool wants_stream(const char *body, size_t length)
{
    const char *found = memmem(body, length, "\"stream\":", 9);
    return found && strncmp(found + 9 + (found[9] == ' '), "true", 4) == 0;
}

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
#define CHUNK "data: {" ANSWER "\"object\":\"chat.completion.chunk\",\"choices\":["

static void make_whole(void)
{
    char end[512];
    snprintf(end, sizeof end,
             MARK "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE "}", INPUT_TOKENS,
             (long)OUTPUT_TOKENS, (long)INPUT_TOKENS + OUTPUT_TOKENS);
    char *body = filled("{" ANSWER "\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"
                        "\"message\":{\"role\":\"assistant\",\"content\":\"" MARK, end,
                        set.answer_bytes);
    whole.body = strlen(body);
    whole.marks = 2;
    whole.length = (size_t)asprintf(
        &whole.bytes, HEAD "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        whole.body, body);
    not_found.length = (size_t)asprintf(
        &not_found.bytes, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static void add_chunk(FILE *file, const char *data)
{
    fprintf(file, "%zx\r\n%s\r\n", strlen(data), data);
    fflush(file);
    stream.body += strlen(data);
}

static void write_stamp(char *at, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < STAMP_DIGITS; i++) at[i] = digits[number >> (60 - 4 * i) & 15];
}

// Events differ, by their number: some gateways end a stream that repeats itself.
static void make_stream(void)
{
    FILE *file = open_memstream(&stream.bytes, &stream.length);
    char *event = filled(CHUNK "{\"index\":0,\"delta\":{\"content\":\"" MARK STAMP " ",
                         "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", EVENT_BYTES);
    char usage[512];
    snprintf(usage, sizeof usage, CHUNK "]," USAGE "}\n\n", INPUT_TOKENS, set.events,
             INPUT_TOKENS + set.events);
    fputs(HEAD "Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
          "Cache-Control: no-cache\r\n\r\n", file);
    add_chunk(file, CHUNK "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
              "\"logprobs\":null,\"finish_reason\":null}]}\n\n");
    stream_head = stream.length;
    char *mark = strchr(event, *MARK);
    for (long i = 0; i < set.events; i++) {
        write_stamp(mark + 1, (uint64_t)i);
        add_chunk(file, event);
    }
    events_end = stream.length;
    add_chunk(file, CHUNK "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}"
              "]}\n\n");
    add_chunk(file, usage);
    add_chunk(file, "data: [DONE]\n\n");
    fputs("0\r\n\r\n", file);
    fclose(file);
    stream.marks = (size_t)set.events;
    event_bytes = (events_end - stream_head) / stream.marks;
    mark = memchr(stream.bytes + stream_head, *MARK, event_bytes);
    stamp_at = (size_t)(mark + 1 - stream.bytes) - stream_head;
}

static void make_query(void)
{
    char *before;
    if (asprintf(&before, "{\"model\":\"%s\",\"max_tokens\":256,%s%s\"messages\":[{\"role\":"
                 "\"user\",\"content\":\"", set.model, set.stream ? "\"stream\":true," : "",
                 set.stream && !set.messages
                     ? "\"stream_options\":{\"include_usage\":true}," : "") < 0) die("memory");
    char *body = set.body ? set.body : filled(before, "\"}]}", set.query_bytes);
    set.stream = wants_stream(body, strlen(body));
    query.length = (size_t)asprintf(
        &query.bytes, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nUser-Agent: rig\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n"
        "\r\n%s", set.path, set.target, set.headers, strlen(body), body);
}

// Write the time into the events that stand from one place in the stream to another. All streams
// are sent from the same bytes: what the kernel has taken is not changed by it.
static void stamp(size_t from, size_t to, uint64_t now)
{
    if (to > events_end) to = events_end;
    for (size_t at = from; at < to; at += event_bytes) write_stamp(stream.bytes + at + stamp_at, now);
}
