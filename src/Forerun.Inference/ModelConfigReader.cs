using System.Collections.Immutable;
using Forerun.Inference.Gguf;
using Forerun.Inference.Kernels;
using Forerun.Inference.Tokenization;

namespace Forerun.Inference;

/// <summary>Turns a GGUF file's keys into a complete <see cref="ModelConfig"/>: explicit key, derived value, or a
/// failure that names the key.</summary>
internal sealed class ModelConfigReader(GgufFile file)
{
    private const string DraftVocabularyKey = "forerun.draft_vocabulary";
    private const int MaxSize = 1 << 20;
    private const int MaxLayers = 1000;
    private const int MaxHeadDim = AttentionKernel.QueryStride;
    private readonly GgufMetadata _metadata = file.Metadata;
    private readonly string _architecture = file.Metadata.GetString("general.architecture");

    /// <summary>Reads and checks the keys; tensors are checked by <see cref="TensorLayout"/>.</summary>
    public ModelConfig Read()
    {
        if (ModelFamily.Find(_architecture) is null)
        {
            throw _metadata.Invalid($"its architecture is \"{_architecture}\", which is not supported. "
                + $"Supported are {ModelFamily.Names}.");
        }

        RefuseUnsupported();
        var hiddenSize = ReadSize("embedding_length", MaxSize, 32);
        var (numHeads, numKeyValueHeads) = ReadHeads();
        var headDim = ReadHeadDim(hiddenSize, numHeads);
        var embeddingRows = file.Tensor("token_embd.weight").Shape[0];
        var vocabSize = ReadVocabSize(embeddingRows);
        var draftVocabulary = ReadDraftVocabulary(vocabSize);
        return new ModelConfig
        {
            Architecture = _architecture,
            Name = _metadata.FindString("general.name") ?? file.Name,
            HiddenSize = hiddenSize,
            IntermediateSize = ReadSize("feed_forward_length", MaxSize, 32),
            NumHiddenLayers = ReadSize("block_count", MaxLayers),
            NumAttentionHeads = numHeads,
            NumKeyValueHeads = numKeyValueHeads,
            HeadDim = headDim,
            VocabSize = vocabSize,
            EmbeddingRows = (int)embeddingRows,
            MaxPositionEmbeddings = ReadSize("context_length", MaxSize),
            RmsNormEps = ReadPositive("attention.layer_norm_rms_epsilon", _metadata.GetSingle),
            RopeTheta = ReadPositive("rope.freq_base", key => _metadata.FindSingle(key) ?? 10_000f),
            RopeScalingFactor = ReadRopeScalingFactor(),
            TieWordEmbeddings = draftVocabulary.IsEmpty && !file.Tensors.ContainsKey("output.weight"),
            DraftVocabulary = draftVocabulary,
        };
    }

    private string Key(string name) => $"{_architecture}.{name}";

    private void RefuseUnsupported()
    {
        foreach (var (name, meaning) in new[]
        {
            ("expert_count", "a mixture of experts"),
            ("attention.sliding_window", "sliding-window attention"),
        })
        {
            if (_metadata.FindInt32(Key(name)) is { } value and not 0)
            {
                throw _metadata.Invalid(
                    $"key \"{Key(name)}\" is {value}: {meaning} is not supported. Use a model without it.");
            }
        }
    }

    private (int NumHeads, int NumKeyValueHeads) ReadHeads()
    {
        var numHeads = ReadSize("attention.head_count", MaxSize);
        var numKeyValueHeads = _metadata.Contains(Key("attention.head_count_kv"))
            ? ReadSize("attention.head_count_kv", numHeads)
            : numHeads;
        return numHeads % numKeyValueHeads == 0
            ? (numHeads, numKeyValueHeads)
            : throw _metadata.Invalid($"{numHeads} attention heads cannot share {numKeyValueHeads} KV heads; "
                + $"expected a divisor of {numHeads}.");
    }

    private int ReadHeadDim(int hiddenSize, int numHeads)
    {
        var headDim = _metadata.FindInt32(Key("attention.key_length")) ?? hiddenSize / numHeads;
        var valueDim = _metadata.FindInt32(Key("attention.value_length")) ?? headDim;
        var rotaryDim = _metadata.FindInt32(Key("rope.dimension_count")) ?? headDim;
        if (headDim is <= 0 or > MaxHeadDim || headDim % 16 != 0 || (long)numHeads * headDim % 32 != 0)
        {
            throw _metadata.Invalid($"{numHeads} heads have {headDim} elements each; expected a multiple of 16 up to "
                + $"{MaxHeadDim}, and a multiple of 32 over all heads.");
        }

        if (valueDim != headDim || rotaryDim != headDim)
        {
            throw _metadata.Invalid($"keys have {headDim} elements per head, values {valueDim}, the rotary part "
                + $"{rotaryDim}; only equal numbers are supported.");
        }

        return headDim;
    }

    private int ReadVocabSize(long embeddingRows)
    {
        var vocabSize = Vocabulary.FindSize(_metadata) ?? _metadata.FindInt32(Key("vocab_size")) ?? embeddingRows;
        return vocabSize > 0 && vocabSize <= embeddingRows && embeddingRows <= MaxSize
            ? (int)vocabSize
            : throw _metadata.Invalid($"the vocabulary has {vocabSize} tokens and \"token_embd.weight\" {embeddingRows} "
                + $"rows; expected 1 to {MaxSize} rows, at least one for each token. Get the file again.");
    }

    private float ReadRopeScalingFactor()
    {
        var type = _metadata.FindString(Key("rope.scaling.type")) ?? "linear";
        if (type is not ("none" or "linear"))
        {
            throw _metadata.Invalid($"key \"{Key("rope.scaling.type")}\" is \"{type}\", which is not supported. "
                + "Supported are \"none\" and \"linear\".");
        }

        return type == "none" ? 1 : ReadPositive("rope.scaling.factor", key => _metadata.FindSingle(key)
            ?? _metadata.FindSingle(Key("rope.scale_linear")) ?? 1);
    }

    private ImmutableArray<int> ReadDraftVocabulary(int vocabSize)
    {
        var tokens = _metadata.FindInt32Array(DraftVocabularyKey);
        var previous = -1;
        foreach (var token in tokens ?? [])
        {
            if (token <= previous || token >= vocabSize)
            {
                throw _metadata.Invalid($"key \"{DraftVocabularyKey}\" holds {token} after {previous}; expected "
                    + $"ascending token ids below {vocabSize}.");
            }

            previous = token;
        }

        return tokens is not { IsEmpty: true }
            ? tokens ?? []
            : throw _metadata.Invalid($"key \"{DraftVocabularyKey}\" is empty; leave it out for a whole vocabulary.");
    }

    private int ReadSize(string name, int most, int multiple = 1)
    {
        var size = _metadata.GetInt32(Key(name));
        return size > 0 && size <= most && size % multiple == 0
            ? size
            : throw _metadata.Invalid($"key \"{Key(name)}\" is {size}; expected 1 to {most}"
                + (multiple == 1 ? "." : $" and a multiple of {multiple}."));
    }

    private float ReadPositive(string name, Func<string, float> read)
    {
        var value = read(Key(name));
        return value > 0 && float.IsFinite(value)
            ? value
            : throw _metadata.Invalid($"key \"{Key(name)}\" is {value}; expected a positive number.");
    }
}
