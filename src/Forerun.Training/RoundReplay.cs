using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.Training;

/// <summary>Decodes held-out prompts speculatively, as a server and an edge would, and keeps every round with the hidden
/// states of its rows. One caller at a time.</summary>
/// <param name="target">The target.</param>
/// <param name="draft">The draft model.</param>
/// <param name="layers">Layers to keep.</param>
/// <param name="options">Draft length and most output tokens.</param>
internal sealed class RoundReplay(
    LanguageModel target, LanguageModel draft, ImmutableArray<int> layers, TrainingOptions options) : IDisposable
{
    private const int ChunkRows = 128;

    private readonly ForwardPass _pass = target.CreatePass(ChunkRows, options.DraftLength + 1);
    private readonly ModelDrafter _drafter = new(draft);
    private readonly ForwardBatch _batch = new();
    private readonly ImmutableArray<HeldOutRound>.Builder _rounds = ImmutableArray.CreateBuilder<HeldOutRound>();
    private readonly List<Half>[] _hidden = [.. layers.Select(_ => new List<Half>())];

    /// <summary>Replays rounds until there are enough.</summary>
    public HeldOutRounds Run(
        IReadOnlyList<TrainingPrompt> prompts, Action<string> progress, CancellationToken cancellationToken)
    {
        for (var i = 0; i < prompts.Count && _rounds.Count < options.HeldOutRounds; i++)
        {
            Decode(i, prompts[i], cancellationToken);
            progress($"rounds: {_rounds.Count} of {options.HeldOutRounds}");
        }

        return new HeldOutRounds(
            _rounds.ToImmutable(),
            layers,
            Array.ConvertAll(_hidden, rows => rows.ToArray()),
            target.Config.HiddenSize,
            options.DraftLength + 1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _drafter.Dispose();
        _pass.Dispose();
    }

    private void Decode(int prompt, TrainingPrompt text, CancellationToken cancellationToken)
    {
        using var cache = target.CreateCache();
        var sampler = new TokenSampler(text.Sampling, target.Config.VocabSize);
        var limits = new GenerationLimits(
            target.Config.MaxPositionEmbeddings, text.Tokens.Length, options.MaxTokens, target.Tokenizer.EndTokens);
        _drafter.Begin(new GenerationRequest { PromptTokens = text.Tokens, Sampling = text.Sampling });
        List<int> tokens = [.. text.Tokens];
        Prefill(cache, text.Tokens);
        for (FinishReason? end = null; end is null;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var proposal = new int[limits.DraftLength(tokens.Count, options.DraftLength)];
            var length = _drafter.Propose(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tokens), proposal);
            end = Verify(prompt, cache, tokens, proposal.AsSpan(0, length), sampler, limits);
        }
    }

    private void Prefill(KvCache cache, ImmutableArray<int> tokens)
    {
        for (var start = 0; start < tokens.Length - 1; start += ChunkRows)
        {
            _batch.Clear();
            _batch.Add(cache, tokens.AsSpan(start, Math.Min(ChunkRows, tokens.Length - 1 - start)), logitRows: 0);
            _pass.Run(_batch);
        }
    }

    private FinishReason? Verify(
        int prompt, KvCache cache, List<int> tokens, ReadOnlySpan<int> proposal, TokenSampler sampler, GenerationLimits limits)
    {
        var (rows, position) = (proposal.Length + 1, tokens.Count);
        _batch.Clear();
        _batch.Add(cache, [tokens[^1], .. proposal], rows);
        _pass.Begin(_batch);
        var kept = new HiddenRows(layers, target.Config.HiddenSize);
        for (var layer = 0; layer < layers.Length; layer++)
        {
            _pass.RunLayers(layers[layer]);
            for (var row = 0; row < rows; row++)
            {
                kept.AddHidden(layer, _pass.HiddenStates(row));
            }

            _hidden[layer].AddRange(kept.Rows(layer));
            _hidden[layer].AddRange(new Half[(options.DraftLength + 1 - rows) * target.Config.HiddenSize]);
        }

        _pass.RunLayers(target.Config.NumHiddenLayers);
        _pass.RunHead();
        int[] own = [.. Enumerable.Range(0, rows).Select(row => sampler.Sample(_pass.Logits(row), position + row, []))];
        var result = Acceptance.Accept(proposal, position, limits, own, static (chosen, row) => chosen[row]);
        _rounds.Add(new HeldOutRound(prompt, position, [.. proposal], result.AcceptedCount, [.. own]));
        tokens.AddRange(proposal[..result.AcceptedCount]);
        tokens.Add(result.NextToken);
        cache.RollbackTo(tokens.Count - 1);
        return result.FinishReason;
    }
}
