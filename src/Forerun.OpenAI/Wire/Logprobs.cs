using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Forerun.OpenAI.Wire;

/// <summary>Log probabilities of a choice, in the shape of its endpoint.</summary>
[JsonDerivedType(typeof(ChatLogprobs))]
[JsonDerivedType(typeof(TextLogprobs))]
internal abstract record ChoiceLogprobs;

/// <summary>Of a chat completion.</summary>
/// <param name="Content">The output tokens, the end token not among them.</param>
/// <param name="Refusal">Always null: targets of ours refuse in their text.</param>
internal sealed record ChatLogprobs(
    ImmutableArray<OutputLogprob> Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Refusal = null) : ChoiceLogprobs;

/// <summary>Of a token.</summary>
/// <param name="Token">Its text; U+FFFD where it is a part of a character.</param>
/// <param name="Logprob">Natural logarithm of its probability.</param>
/// <param name="Bytes">Its bytes.</param>
internal record TokenLogprob(string Token, float Logprob, ImmutableArray<int> Bytes);

/// <summary>Of an output token.</summary>
/// <param name="Token">As in <see cref="TokenLogprob"/>.</param>
/// <param name="Logprob">As in <see cref="TokenLogprob"/>.</param>
/// <param name="Bytes">As in <see cref="TokenLogprob"/>.</param>
/// <param name="TopLogprobs">The likeliest tokens there, likeliest first.</param>
internal sealed record OutputLogprob(
    string Token, float Logprob, ImmutableArray<int> Bytes, ImmutableArray<TokenLogprob> TopLogprobs)
    : TokenLogprob(Token, Logprob, Bytes);

/// <summary>Of a text completion; an entry per output token.</summary>
/// <param name="Tokens">Their texts.</param>
/// <param name="TokenLogprobs">Their log probabilities.</param>
/// <param name="TopLogprobs">The likeliest tokens there and the output token, by text.</param>
/// <param name="TextOffset">Characters of the answer before each.</param>
internal sealed record TextLogprobs(
    ImmutableArray<string> Tokens,
    ImmutableArray<float> TokenLogprobs,
    ImmutableArray<Dictionary<string, float>> TopLogprobs,
    ImmutableArray<int> TextOffset) : ChoiceLogprobs;
