using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>Batch invariance over many KV pages, where attention is shared out in two different ways.</summary>
public class LongContextTests
{
    [Theory]
    [InlineData("smollm-gqa-tied-q4_1", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-f16", WeightFormat.Original)]
    public void Run_Position2000_FewRowsOrManyRowsAnyThreads_SameBits(string folder, WeightFormat weights)
    {
        const int Start = 1990;
        var tokens = TinyModels.Tokens(seed: 7, 2040);
        using var plain = TinyModels.Load(folder, weights, threads: 1, InstructionSet.Portable);
        using var reference = plain.CreateCache();
        Prefill(plain, reference, tokens.AsSpan(0, Start), step: 100);
        var expected = Decode(plain, reference, tokens.AsSpan(Start));
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var model = TinyModels.Load(folder, weights, threads);
            using var prefix = model.CreateCache();
            Prefill(model, prefix, tokens.AsSpan(0, Start), step: 300 + threads);
            using var few = prefix.Fork();
            using var many = prefix.Fork();
            Passes.AssertSameBits(expected, InSteps(model, few, tokens.AsSpan(Start), 5), $"{threads} threads, 5 rows");
            Passes.AssertSameBits(expected, model.Append(many, tokens.AsSpan(Start)), $"{threads} threads, 50 rows");
        }
    }

    [Fact]
    public void Run_BundledTargetOverSeveralPages_AnyPassesSameBits()
    {
        using var model = LanguageModel.Load(Assets.Target, new ModelLoadOptions { Threads = 2 });
        using var plain = LanguageModel.Load(
            Assets.Target, new ModelLoadOptions { Threads = 1, InstructionSet = InstructionSet.Portable });
        var tokens = model.Tokenizer.Encode(string.Concat(Enumerable.Repeat(
            "The lighthouse keeper counted 27 ships before the fog came in from the west. ", 12)))[..136].ToArray();
        using var reference = plain.CreateCache();
        Prefill(plain, reference, tokens.AsSpan(0, 129), step: 65);
        var expected = Decode(plain, reference, tokens.AsSpan(129));

        using var cache = model.CreateCache();
        Prefill(model, cache, tokens.AsSpan(0, 129), step: 63);
        using var fork = cache.Fork();
        Passes.AssertSameBits(expected, InSteps(model, cache, tokens.AsSpan(129), 5), "5 rows");
        Passes.AssertSameBits(expected, model.Append(fork, tokens.AsSpan(129)), "7 rows");
    }

    private static void Prefill(LanguageModel model, KvCache cache, ReadOnlySpan<int> tokens, int step)
    {
        for (; !tokens.IsEmpty; tokens = tokens[Math.Min(step, tokens.Length)..])
        {
            model.Append(cache, tokens[..Math.Min(step, tokens.Length)], logitRows: 0);
        }
    }

    private static float[][] Decode(LanguageModel model, KvCache cache, ReadOnlySpan<int> tokens) =>
        InSteps(model, cache, tokens, 1);

    private static float[][] InSteps(LanguageModel model, KvCache cache, ReadOnlySpan<int> tokens, int step)
    {
        var rows = new List<float[]>();
        for (; !tokens.IsEmpty; tokens = tokens[Math.Min(step, tokens.Length)..])
        {
            rows.AddRange(model.Append(cache, tokens[..Math.Min(step, tokens.Length)]));
        }

        return [.. rows];
    }
}
