using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;

namespace Forerun.Edge.Generation;

/// <summary>Generates text for whoever asks: conversations or plain prompts in, text out. What every chat client, HTTP
/// endpoint and console shares. Thread-safe: generations that need a drafter wait for one in order of arrival.</summary>
public sealed class TextGenerator
{
    private readonly TextFormat _text;
    private readonly DecoderPool _decoders;
    private readonly DecodingMode _mode;
    private readonly AcceptanceRule _acceptance;
    private TargetDescription? _target;

    /// <summary>Generates with these parts; the caller keeps owning them.</summary>
    /// <param name="verifier">Where the target runs.</param>
    /// <param name="text">Tokenizer and chat template: the target's, or those of a draft model made for it.</param>
    /// <param name="drafters">Who drafts, one generation each at a time; null or empty = nobody.</param>
    /// <param name="options">How; null = defaults.</param>
    /// <exception cref="ArgumentException">The mode needs a drafter and there is none.</exception>
    public TextGenerator(
        IVerifier verifier,
        TextFormat text,
        IReadOnlyList<IDrafter>? drafters = null,
        TextGeneratorOptions? options = null)
    {
        drafters ??= [];
        options ??= TextGeneratorOptions.Default;
        _mode = options.Mode ?? (drafters.Count == 0 ? DecodingMode.Autoregressive : DecodingMode.Auto);
        if (_mode.DraftsOnEdge() && drafters.Count == 0)
        {
            throw new ArgumentException(
                $"The mode '{_mode}' needs a drafter. Pass one, or choose the mode 'Autoregressive'.", nameof(drafters));
        }

        _acceptance = options.Acceptance;
        Verifier = verifier;
        FallbackModel = options.Decoder.Fallback?.ModelId;
        _text = text;
        _decoders = new DecoderPool(verifier, drafters, options.Decoder, options.MaxQueued);
    }

    /// <summary>Where the target runs.</summary>
    public IVerifier Verifier { get; }

    /// <summary>Id of the draft model that goes on alone where the verifier is lost; null = none does.</summary>
    public string? FallbackModel { get; }

    /// <summary>Why conversations cannot be generated; null when they can.</summary>
    public string? ChatProblem => _text.ChatTemplateProblem;

    /// <summary>Text to token ids and back.</summary>
    public Tokenizer Tokenizer => _text.Tokenizer;

    /// <summary>What the target is. Asked once, then remembered.</summary>
    /// <exception cref="VerifierUnavailableException">The verifier does not answer.</exception>
    public async ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        _target ??= await Verifier.DescribeAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>The prompt tokens of a conversation.</summary>
    /// <exception cref="InvalidOperationException">The model has no chat template that is supported.</exception>
    public ImmutableArray<int> ChatPrompt(IReadOnlyList<ChatMessage> messages) => Prompt.Chat(_text, messages);

    /// <summary>The prompt tokens of a text as it is.</summary>
    public ImmutableArray<int> RawPrompt(string text) => Prompt.Raw(_text, text);

    /// <summary>Streams a text, an update per round; the last one carries the end. At a stop string, when cancelled and
    /// when the loop is left, the generation ends on the server too.</summary>
    /// <param name="request">What to generate; its mode and its rule of acceptance are replaced by the generator's.</param>
    /// <param name="stopStrings">End the text before the first of them; null = none.</param>
    /// <param name="cancellationToken">Ends the generation, also while it waits for a drafter.</param>
    /// <exception cref="ProtocolException">The request does not fit the target.</exception>
    /// <exception cref="ModelMismatchException">Edge and target do not share a tokenizer.</exception>
    /// <exception cref="VerifierUnavailableException">The verifier is unreachable, overloaded or gone, or too many wait
    /// for a drafter.</exception>
    public async IAsyncEnumerable<TextUpdate> GenerateAsync(
        GenerationRequest request,
        IReadOnlyList<string>? stopStrings = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await CheckLengthAsync(request, cancellationToken).ConfigureAwait(false);
        var decoder = await _decoders.RentAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var updates = new TextDecoder(decoder, _text.Tokenizer).GenerateAsync(
                request with { Mode = _mode, Sampling = request.Sampling with { Acceptance = _acceptance } },
                stopStrings,
                cancellationToken);
            await foreach (var update in updates.ConfigureAwait(false))
            {
                yield return update;
            }
        }
        finally
        {
            _decoders.Return(decoder);
        }
    }

    /// <summary>Refuses here what the target would refuse, before a drafter reads it. Where a fallback waits, an
    /// unavailable target is the decoder's to tell.</summary>
    private async ValueTask CheckLengthAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        TargetDescription target;
        try
        {
            target = await DescribeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (VerifierUnavailableException) when (FallbackModel is not null)
        {
            return;
        }

        if (request.PromptTokens.Length >= target.ContextLength)
        {
            throw ProtocolException.PromptTooLong(target.ContextLength, request.PromptTokens.Length);
        }
    }
}
