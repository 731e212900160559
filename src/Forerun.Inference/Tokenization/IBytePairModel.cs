namespace Forerun.Inference.Tokenization;

/// <summary>What a kind of byte-pair encoding learned, and how it takes text apart. Immutable and thread-safe.</summary>
internal interface IBytePairModel
{
    /// <summary>Whether text is encoded with a space before it, which decoding removes.</summary>
    bool AddsSpace { get; }

    /// <summary>The merge of two neighbours; null when they stay apart.</summary>
    Merge? MergeOf(int left, int right);

    /// <summary>Appends the tokens of a text without special tokens.</summary>
    void Encode(string text, BytePairEncoder encoder);
}

/// <summary>Two neighbours that become one token.</summary>
/// <param name="Rank">Lower ranks are merged first.</param>
/// <param name="Result">The one token.</param>
internal readonly record struct Merge(int Rank, int Result);
