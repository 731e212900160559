using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.Links;

namespace Forerun.Cli.Comparing;

/// <summary>Runs what is left of a comparison and holds every text that does not depend on who drafts against the autoregressive
/// one.</summary>
/// <param name="plan">What to run.</param>
/// <param name="store">What is done.</param>
/// <param name="request">Makes the request of a planned cell.</param>
/// <param name="connect">Connects an edge over a link.</param>
internal sealed class CompareRun(
    ComparePlan plan,
    CellStore store,
    Func<PlannedCell, GenerationRequest> request,
    Func<LinkProfile, CompareEdge> connect)
{
    /// <summary>Tokens that make code fast.</summary>
    public const int DefaultWarmUpTokens = 24;

    /// <summary>Tokens to decode in every mode before anything is measured; by default as many as make code fast.</summary>
    public int WarmUpTokens { get; init; } = DefaultWarmUpTokens;

    /// <summary>Modes that the server does not offer are left out when true, and refused otherwise.</summary>
    public bool SkipUnsupported { get; init; }

    /// <summary>Modes that were left out.</summary>
    public HashSet<DecodingMode> Unsupported { get; } = [];

    /// <summary>Runs to the end or to the first difference.</summary>
    /// <param name="links">The links, one after another.</param>
    /// <param name="progress">Receives each cell that is done, those of an earlier run too.</param>
    /// <param name="cancellationToken">Ends the run; finished cells stay.</param>
    /// <returns>The first text that is not equal, and the autoregressive one; null when all are equal.</returns>
    public async Task<(PlannedCell Planned, Cell Baseline, Cell Cell)?> RunAsync(
        ImmutableArray<LinkProfile> links, Action<CellKey> progress, CancellationToken cancellationToken)
    {
        foreach (var link in links)
        {
            var cells = plan.Over(link);
            await using var edge = cells.All(planned => store.Find(planned.Key) is not null) ? null : connect(link);
            if (edge is not null)
            {
                await WarmUpAsync(edge, cells, cancellationToken);
            }

            foreach (var planned in cells.Where(planned => !Unsupported.Contains(planned.Mode)))
            {
                var cell = store.Find(planned.Key) ?? await DecodeAsync(edge!, planned, cancellationToken);
                var baseline = store.Find(planned.Key.Baseline())!;
                if (!planned.Sampling.NeedsDraftProbs() && Difference.PositionOf(baseline, cell) is not null)
                {
                    return (planned, baseline, cell);
                }

                progress(planned.Key);
            }
        }

        return null;
    }

    private async Task<Cell> DecodeAsync(CompareEdge edge, PlannedCell planned, CancellationToken cancellationToken)
    {
        var cell = new Cell(
            planned.Key, await edge.RunAsync(request(planned), planned.Key.DraftLength, cancellationToken));
        store.Add(cell);
        return cell;
    }

    /// <summary>Decodes a few tokens in every mode, so that the figures are not those of a cold start.</summary>
    private async Task WarmUpAsync(
        CompareEdge edge, ImmutableArray<PlannedCell> cells, CancellationToken cancellationToken)
    {
        foreach (var planned in cells.DistinctBy(planned => planned.Mode))
        {
            try
            {
                await edge.RunAsync(
                    request(planned) with { MaxTokens = WarmUpTokens }, planned.Key.DraftLength, cancellationToken);
            }
            catch (ProtocolException exception)
                when (SkipUnsupported && exception.Error.Code == VerificationErrorCode.BadMode)
            {
                Unsupported.Add(planned.Mode);
            }
        }
    }
}
