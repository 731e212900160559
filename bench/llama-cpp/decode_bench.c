// Times llama_decode of llama.cpp: M rows at a fixed KV depth, and a prefill.
// Built by run.sh against the shared libraries and the headers of one llama.cpp release.
// Writes one JSON document to stdout and a readable trace to stderr.

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include "llama.h"

enum { MAX_LIST = 64, MAX_REPETITIONS = 1000, EXIT_UNSUPPORTED_VARIANT = 3 };

typedef struct {
    const char *name;
    enum ggml_type type;
} kv_type;

static const kv_type known_kv_types[] = {
    {"f32", GGML_TYPE_F32},
    {"f16", GGML_TYPE_F16},
    {"bf16", GGML_TYPE_BF16},
    {"q8_0", GGML_TYPE_Q8_0},
};

typedef struct {
    const char *model_path;
    const char *backend;  // a CPU library, or the folder from which ggml picks one
    int context;
    int threads;
    int prefill;
    int repetitions;
    int prefill_repetitions;
    int warmup;
    int rows[MAX_LIST];
    int row_count;
    bool flash[2];
    int flash_count;
    kv_type kv[MAX_LIST];
    int kv_count;
    bool repack[2];
    int repack_count;
} options;

static bool saw_repacked_weights;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "decode_bench: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static void on_log(enum ggml_log_level level, const char *text, void *user_data) {
    (void)user_data;
    if (strstr(text, "REPACK") != NULL && strstr(text, "buffer size") != NULL) {
        saw_repacked_weights = true;
    }
    if (level == GGML_LOG_LEVEL_ERROR || getenv("DECODE_BENCH_VERBOSE") != NULL) {
        fputs(text, stderr);
    }
}

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int compare_doubles(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double smallest(const double *values, int count) {
    double result = values[0];
    for (int i = 1; i < count; i++) {
        result = values[i] < result ? values[i] : result;
    }
    return result;
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int parse_positive(const char *name, const char *text) {
    char *end;
    const long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > 1000000) {
        fail("%s takes positive numbers, not '%s'", name, text);
    }
    return (int)value;
}

static bool parse_switch(const char *name, const char *text) {
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0) {
        fail("%s takes on and off, not '%s'", name, text);
    }
    return strcmp(text, "on") == 0;
}

static kv_type parse_kv(const char *text) {
    for (size_t i = 0; i < sizeof known_kv_types / sizeof known_kv_types[0]; i++) {
        if (strcmp(text, known_kv_types[i].name) == 0) {
            return known_kv_types[i];
        }
    }
    fail("--kv takes f32, f16, bf16 and q8_0, not '%s'", text);
    return known_kv_types[0];
}

static options parse_options(int argc, char **argv) {
    options result = {
        .context = 256, .threads = 1, .prefill = 512, .repetitions = 15, .prefill_repetitions = 15, .warmup = 3,
    };

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (i + 1 == argc) {
            fail("%s needs a value", name);
        }
        char *value = argv[++i];

        if (strcmp(name, "--model") == 0) {
            result.model_path = value;
        } else if (strcmp(name, "--backend") == 0) {
            result.backend = value;
        } else if (strcmp(name, "--context") == 0) {
            result.context = parse_positive(name, value);
        } else if (strcmp(name, "--threads") == 0) {
            result.threads = parse_positive(name, value);
        } else if (strcmp(name, "--prefill") == 0) {
            result.prefill = parse_positive(name, value);
        } else if (strcmp(name, "--repetitions") == 0) {
            result.repetitions = parse_positive(name, value);
        } else if (strcmp(name, "--prefill-repetitions") == 0) {
            result.prefill_repetitions = parse_positive(name, value);
        } else if (strcmp(name, "--warmup") == 0) {
            result.warmup = parse_positive(name, value);
        } else {
            char *state = NULL;
            for (char *item = strtok_r(value, ",", &state); item != NULL; item = strtok_r(NULL, ",", &state)) {
                if (strcmp(name, "--rows") == 0 && result.row_count < MAX_LIST) {
                    result.rows[result.row_count++] = parse_positive(name, item);
                } else if (strcmp(name, "--kv") == 0 && result.kv_count < MAX_LIST) {
                    result.kv[result.kv_count++] = parse_kv(item);
                } else if (strcmp(name, "--flash") == 0 && result.flash_count < 2) {
                    result.flash[result.flash_count++] = parse_switch(name, item);
                } else if (strcmp(name, "--repack") == 0 && result.repack_count < 2) {
                    result.repack[result.repack_count++] = parse_switch(name, item);
                } else {
                    fail("cannot take %s %s", name, item);
                }
            }
        }
    }

    if (result.model_path == NULL || result.backend == NULL || result.row_count == 0 || result.kv_count == 0 ||
        result.flash_count == 0 || result.repack_count == 0) {
        fail("needs --model, --backend, --rows, --kv, --flash and --repack");
    }
    if (result.repetitions > MAX_REPETITIONS || result.prefill_repetitions > MAX_REPETITIONS) {
        fail("at most %d repetitions", (int)MAX_REPETITIONS);
    }
    return result;
}

// The same ordinary tokens every run; the cost of a row does not depend on which they are.
static llama_token token_at(int position, int vocabulary) {
    uint32_t value = (uint32_t)position * 2654435761u + 12345u;
    value ^= value >> 15;
    return (llama_token)(100 + value % (uint32_t)(vocabulary - 200));
}

static void fill_batch(struct llama_batch *batch, int start, int count, bool all_logits, int vocabulary) {
    batch->n_tokens = count;
    for (int i = 0; i < count; i++) {
        batch->token[i] = token_at(start + i, vocabulary);
        batch->pos[i] = start + i;
        batch->n_seq_id[i] = 1;
        batch->seq_id[i][0] = 0;
        batch->logits[i] = all_logits || i == count - 1;
    }
}

static double timed_decode(struct llama_context *context, struct llama_batch batch) {
    const double start = now_ms();
    const int status = llama_decode(context, batch);
    llama_synchronize(context);
    const double elapsed = now_ms() - start;
    if (status != 0) {
        fail("llama_decode of %d tokens returned %d", batch.n_tokens, status);
    }
    return elapsed;
}

static void require_depth(struct llama_context *context, int depth) {
    const llama_pos last = llama_memory_seq_pos_max(llama_get_memory(context), 0);
    if (last != depth - 1) {
        fail("the cache ends at position %d, not %d", last, depth - 1);
    }
}

// Every row of the batch must have produced logits.
static void require_logits(struct llama_context *context, int rows, int vocabulary) {
    for (int row = 0; row < rows; row++) {
        const float *logits = llama_get_logits_ith(context, row);
        if (logits == NULL) {
            fail("row %d of %d has no logits", row, rows);
        }
        for (int i = 0; i < vocabulary; i++) {
            if (!isfinite(logits[i])) {
                fail("row %d of %d has a logit that is not finite", row, rows);
            }
        }
    }
}

static ggml_threadpool_t create_threadpool(int threads) {
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_threadpool_t (*create)(struct ggml_threadpool_params *) =
        (ggml_threadpool_t(*)(struct ggml_threadpool_params *))ggml_backend_reg_get_proc_address(
            ggml_backend_dev_backend_reg(device), "ggml_threadpool_new");
    if (create == NULL) {
        fail("the CPU backend has no thread pool");
    }
    struct ggml_threadpool_params parameters = ggml_threadpool_params_default(threads);
    return create(&parameters);
}

static void measure(const options *o, struct llama_model *model, ggml_threadpool_t pool, bool flash, kv_type kv,
                    bool repack, bool *first) {
    const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    int most_rows = 1;
    for (int i = 0; i < o->row_count; i++) {
        most_rows = o->rows[i] > most_rows ? o->rows[i] : most_rows;
    }
    const int deepest = o->context + most_rows;
    const int largest = o->context > o->prefill ? o->context : o->prefill;
    const int capacity = largest > most_rows ? largest : most_rows;

    struct llama_context_params parameters = llama_context_default_params();
    parameters.n_ctx = (uint32_t)(deepest > o->prefill ? deepest : o->prefill);
    parameters.n_batch = (uint32_t)capacity;
    parameters.n_ubatch = (uint32_t)capacity;
    parameters.n_seq_max = 1;
    parameters.n_threads = o->threads;
    parameters.n_threads_batch = o->threads;
    parameters.flash_attn_type = flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    parameters.type_k = kv.type;
    parameters.type_v = kv.type;
    parameters.no_perf = true;

    struct llama_context *context = llama_init_from_model(model, parameters);
    if (context == NULL) {
        fail("no context with flash attention %s and KV %s", flash ? "on" : "off", kv.name);
    }
    llama_attach_threadpool(context, pool, pool);
    llama_memory_t memory = llama_get_memory(context);
    struct llama_batch batch = llama_batch_init(capacity, 0, 1);
    double samples[MAX_REPETITIONS];
    double minima[MAX_LIST];

    fprintf(stderr, "flash %-3s  kv %-4s  repack %-3s", flash ? "on" : "off", kv.name, repack ? "on" : "off");
    printf("%s{\"flashAttention\":%s,\"kv\":\"%s\",\"repack\":%s,\"decodeMs\":{", *first ? "" : ",",
           flash ? "true" : "false", kv.name, repack ? "true" : "false");
    *first = false;

    fill_batch(&batch, 0, o->context, false, vocabulary);
    timed_decode(context, batch);
    for (int i = 0; i < o->row_count; i++) {
        const int rows = o->rows[i];
        for (int repetition = -o->warmup; repetition < o->repetitions; repetition++) {
            require_depth(context, o->context);
            fill_batch(&batch, o->context, rows, true, vocabulary);
            const double elapsed = timed_decode(context, batch);
            if (repetition >= 0) {
                samples[repetition] = elapsed;
            } else {
                require_logits(context, rows, vocabulary);
            }
            if (!llama_memory_seq_rm(memory, 0, o->context, -1)) {
                fail("the cache refuses to drop %d rows", rows);
            }
        }
        const double result = median(samples, o->repetitions);
        fprintf(stderr, "  %d: %.2f", rows, result);
        printf("%s\"%d\":%.4f", i == 0 ? "" : ",", rows, result);
        minima[i] = smallest(samples, o->repetitions);
    }
    printf("},\"decodeMinMs\":{");
    for (int i = 0; i < o->row_count; i++) {
        printf("%s\"%d\":%.4f", i == 0 ? "" : ",", o->rows[i], minima[i]);
    }

    for (int repetition = -1; repetition < o->prefill_repetitions; repetition++) {
        llama_memory_clear(memory, false);
        fill_batch(&batch, 0, o->prefill, false, vocabulary);
        const double elapsed = timed_decode(context, batch);
        if (repetition >= 0) {
            samples[repetition] = elapsed;
        }
    }
    const double prefill = median(samples, o->prefill_repetitions);
    fprintf(stderr, "  prefill %d: %.1f\n", o->prefill, prefill);
    printf("},\"prefill%dMs\":%.4f,\"prefill%dMinMs\":%.4f}", o->prefill, prefill, o->prefill,
           smallest(samples, o->prefill_repetitions));

    llama_batch_free(batch);
    llama_free(context);
}

// Names the CPU library that this process has mapped: "zen4" for libggml-cpu-zen4.so.
static void print_variant(void) {
    static const char prefix[] = "libggml-cpu";
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    char variant[256] = "unknown";
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        const char *name = strstr(line, prefix);
        if (name != NULL && sscanf(name + strlen(prefix), "-%255[a-z0-9_]", variant) != 1) {
            strcpy(variant, "unnamed");
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    fprintf(stderr, "llama.cpp %s, CPU variant %s\n%s\n", llama_version(), variant, llama_print_system_info());
    printf("\"cpuVariant\":\"%s\",\"systemInfo\":\"%s\"", variant, llama_print_system_info());
}

int main(int argc, char **argv) {
    const options o = parse_options(argc, argv);

    llama_log_set(on_log, NULL);
    if (strstr(o.backend, ".so") != NULL) {
        if (ggml_backend_load(o.backend) == NULL) {
            return EXIT_UNSUPPORTED_VARIANT;
        }
    } else {
        ggml_backend_load_all_from_path(o.backend);
    }
    llama_backend_init();

    ggml_threadpool_t pool = create_threadpool(o.threads);
    printf("{\"engine\":\"llama.cpp\",\"version\":\"%s\",", llama_version());
    print_variant();
    printf(",\"context\":%d,\"threads\":%d,\"settings\":[", o.context, o.threads);

    bool first = true;
    bool measured_plain = false;
    for (int r = 0; r < o.repack_count; r++) {
        struct llama_model_params parameters = llama_model_default_params();
        parameters.use_extra_bufts = o.repack[r];
        saw_repacked_weights = false;
        struct llama_model *model = llama_model_load_from_file(o.model_path, parameters);
        if (model == NULL) {
            fail("cannot load %s", o.model_path);
        }
        // Where repacking finds no weight of a type that it knows, on and off are the same.
        if (saw_repacked_weights || !measured_plain) {
            measured_plain = measured_plain || !saw_repacked_weights;
            for (int f = 0; f < o.flash_count; f++) {
                for (int k = 0; k < o.kv_count; k++) {
                    if (!o.flash[f] && o.kv[k].type == GGML_TYPE_Q8_0) {
                        continue;  // llama.cpp quantizes V only with flash attention.
                    }
                    measure(&o, model, pool, o.flash[f], o.kv[k], saw_repacked_weights, &first);
                }
            }
        }
        llama_model_free(model);
    }

    printf("]}\n");
    llama_backend_free();
    return 0;
}
