using System.Collections.Immutable;
using Forerun.Inference.Gguf;

namespace Forerun.Inference;

/// <summary>What a decoder-only model is: its architecture, complete and checked. Names as in <c>config.json</c>.
/// Immutable and thread-safe.</summary>
public sealed record ModelConfig
{
    /// <summary>The family: <c>llama</c>, <c>qwen2</c> or <c>qwen3</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The model's name; the file's name where the file tells none.</summary>
    public required string Name { get; init; }

    /// <summary>Elements of a hidden state; a multiple of 32.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Elements between the feed-forward matrices; a multiple of 32.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of decoder layers.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>Number of query heads; a multiple of <see cref="NumKeyValueHeads"/>.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Number of key and value heads.</summary>
    public required int NumKeyValueHeads { get; init; }

    /// <summary>Elements of a head; a multiple of 16, at most 256. Attention heads times it, a multiple of 32, need not
    /// be <see cref="HiddenSize"/>.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Number of token ids: the tokenizer's vocabulary without its padding; the embedding's rows in a file
    /// without a tokenizer.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Rows of the embedding, and of a head that covers the whole vocabulary, in the file. Those beyond
    /// <see cref="VocabSize"/> are padding: they are not loaded, no id reaches them and none is sampled.</summary>
    public required int EmbeddingRows { get; init; }

    /// <summary>Context length in positions.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>Added to the mean square in RMSNorm.</summary>
    public required float RmsNormEps { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public required float RopeTheta { get; init; }

    /// <summary>Positions are divided by it before the rotation (linear scaling); 1 = no scaling.</summary>
    public required float RopeScalingFactor { get; init; }

    /// <summary>Whether the LM head is the embedding matrix.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>The tokens of the head's rows, ascending, for a draft model whose head covers a part of the vocabulary;
    /// empty when row i is token i.</summary>
    public required ImmutableArray<int> DraftVocabulary { get; init; }

    /// <summary>Rows of the LM head as it is loaded: the draft vocabulary's length, else the vocabulary's.</summary>
    public int HeadRows => DraftVocabulary.IsEmpty ? VocabSize : DraftVocabulary.Length;

    internal ModelFamily Family => ModelFamily.Find(Architecture)!;

    /// <summary>Reads and checks the architecture and the presence, shape and type of every tensor.</summary>
    /// <exception cref="InvalidDataException">The file lacks something, is implausible, or needs something that is not
    /// supported.</exception>
    public static ModelConfig From(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var config = new ModelConfigReader(file).Read();
        TensorLayout.Check(file, config);
        return config;
    }
}
