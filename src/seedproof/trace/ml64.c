/* The sums of `ml64/1` for many arrays in one call. digest.py defines them and names their source.

   For little-endian machines. It is the arithmetic of integers modulo 2^64, so every compiler and
   every processor gives the same. */

#include <stdint.h>

enum { BLOCK = 1 << 15, STRETCH = 256 }; /* words */
enum { CACHE_LINE = 64, AHEAD = 4096 };  /* bytes */

/* An array of any type is read as these, wherever it begins. */
typedef int8_t word1;
typedef int16_t __attribute__((aligned(1), may_alias)) word2;
typedef int32_t __attribute__((aligned(1), may_alias)) word4;

typedef uint64_t dot_product(const void *array, int64_t first, int64_t count, const uint64_t *keys);

/* Arrays seldom are in the processor's caches, and what it fetches by itself comes too late. */
static void prefetch(const char *place, int64_t bytes)
{
    for (int64_t at = 0; at < bytes; at += CACHE_LINE)
        __builtin_prefetch(place + AHEAD + at);
}

#define DEFINE_DOT(name, word, target)                                                             \
    target static uint64_t name(const void *array, int64_t first, int64_t count,                   \
                                const uint64_t *keys)                                              \
    {                                                                                              \
        const word *words = (const word *)array + first;                                           \
        uint64_t sum = 0;                                                                          \
        for (int64_t start = 0; start < count; start += STRETCH) {                                 \
            int64_t end = start + STRETCH < count ? start + STRETCH : count;                       \
            prefetch((const char *)(words + start), STRETCH * sizeof(word));                       \
            for (int64_t at = start; at < end; at++)                                               \
                sum += (uint64_t)words[at] * keys[at];                                             \
        }                                                                                          \
        return sum;                                                                                \
    }

DEFINE_DOT(dot1, word1, )
DEFINE_DOT(dot2, word2, )
DEFINE_DOT(dot4, word4, )

/* Some processors multiply eight such numbers at once, of which GCC has to be told. On Windows its
   stack is not aligned for that. */
#if defined(__x86_64__) && __GNUC__ >= 8 && !defined(__clang__) && !defined(_WIN32)
#define HAS_WIDE
DEFINE_DOT(dot4_wide, word4,
           __attribute__((target("avx512dq,prefer-vector-width=512"), optimize("tree-vectorize"))))
#endif

static dot_product *dot_of(int width)
{
#ifdef HAS_WIDE
    if (width == 4 && __builtin_cpu_supports("avx512dq"))
        return dot4_wide;
#endif
    return width == 1 ? dot1 : width == 2 ? dot2 : dot4;
}

/* Each block gives 64 bits, which count as two words of what is summed in the end. */
static uint64_t fold(dot_product *dot, const void *array, int64_t count, const uint64_t *keys)
{
    if (count <= BLOCK)
        return dot(array, 0, count, keys);
    uint64_t sum = 0;
    for (int64_t block = 0; block * BLOCK < count; block++) {
        int64_t left = count - block * BLOCK;
        uint64_t of_block = dot(array, block * BLOCK, left < BLOCK ? left : BLOCK, keys);
        sum += (uint64_t)(int32_t)of_block * keys[2 * block];
        sum += (uint64_t)(int32_t)(of_block >> 32) * keys[2 * block + 1];
    }
    return sum;
}

/* The digest of each array: its header and the sum of its words, which have so many bytes (1, 2 or
   4). An array has at most BLOCK / 2 blocks. `keys` are those of BLOCK positions. */
void ml64_1_digests(int64_t arrays_count, const void *const *arrays, const int64_t *counts,
                    const int8_t *widths, const uint64_t *headers, const uint64_t *keys,
                    uint64_t *digests)
{
    for (int64_t at = 0; at < arrays_count; at++)
        digests[at] = headers[at] + fold(dot_of(widths[at]), arrays[at], counts[at], keys);
}
