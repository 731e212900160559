using System.Buffers.Binary;
using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;

namespace Forerun.UnitTests.Cloud;

/// <summary>Random-weight models of four layers, loaded once; the draft model is the target, rounded harder.</summary>
public static class TinyModels
{
    private static readonly Lazy<LanguageModel> LazyTarget = new(() => Load("smollm-gqa-tied-q8_0"));
    private static readonly Lazy<LanguageModel> LazyDraft = new(() => Load("smollm-gqa-tied-q4_0"));

    private static readonly Lazy<LanguageModel> LazyShortTarget = new(() => LoadTarget(ShortContext));
    private static readonly Lazy<LanguageModel> LazyLongTarget = new(() => LoadTarget(LongContext));

    /// <summary>Context length of <see cref="ShortTarget"/>.</summary>
    public const int ShortContext = 48;

    /// <summary>Context length of <see cref="LongTarget"/>.</summary>
    public const int LongContext = 8192;

    public static LanguageModel Target => LazyTarget.Value;

    public static LanguageModel Draft => LazyDraft.Value;

    public static ImmutableArray<int> Prompt { get; } = [300, 17, 400, 25, 33, 500, 41, 260];

    public static SamplingOptions Sampled(ulong seed) => new() { Temperature = 0.8f, TopP = 0.95f, Seed = seed };

    /// <summary>A model of its own, so that its memory can be watched.</summary>
    public static LanguageModel Load(string name) =>
        LanguageModel.Load(Repository.Path("tests", "assets", "tiny", name, "model.gguf"), new() { Threads = 1 });

    /// <summary>The target with a context of <see cref="ShortContext"/> positions instead of 2048.</summary>
    public static LanguageModel ShortTarget => LazyShortTarget.Value;

    /// <summary>The target with a context of <see cref="LongContext"/> positions.</summary>
    public static LanguageModel LongTarget => LazyLongTarget.Value;

    /// <summary>The text that a plain loop over the target writes: one token per pass, nothing shared with the
    /// product's decoding code.</summary>
    public static ImmutableArray<int> PlainLoop(LanguageModel target, GenerationRequest request)
    {
        using var cache = target.CreateCache();
        using var pass = target.CreatePass(1, 1);
        var batch = new ForwardBatch();
        var sampler = new TokenSampler(request.Sampling, target.Config.VocabSize, target.DraftVocabulary);
        List<int> tokens = [.. request.PromptTokens];
        for (var position = 0; ; position++)
        {
            batch.Clear();
            batch.Add(cache, [tokens[position]], 1);
            pass.Run(batch);
            if (position + 1 < request.PromptTokens.Length)
            {
                continue;
            }

            var token = sampler.Sample(pass.Logits(0), position + 1, tokens.ToArray());
            tokens.Add(token);
            var output = tokens.Count - request.PromptTokens.Length;
            if ((!request.IgnoreEndTokens && target.Tokenizer.EndTokens.Contains(token))
                || output == request.MaxTokens || tokens.Count == target.Config.MaxPositionEmbeddings)
            {
                return [.. tokens.Skip(request.PromptTokens.Length)];
            }
        }
    }

    private static LanguageModel LoadTarget(int contextLength)
    {
        var bytes = File.ReadAllBytes(Repository.Path("tests", "assets", "tiny", "smollm-gqa-tied-q8_0", "model.gguf"));
        var value = bytes.AsSpan().IndexOf("context_length"u8) + "context_length"u8.Length + sizeof(uint);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(value), contextLength);
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, bytes);
        return LanguageModel.Load(path, new() { Threads = 1 });
    }
}
