using System.Collections.Immutable;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.Cli.Commands;

/// <summary>Many edges on one server. Edges are tasks of this process, over gRPC on loopback; their drafts are recorded first,
/// so that drafting costs them nothing while the clock runs.</summary>
/// <param name="server">The server, a process of its own.</param>
/// <param name="draft">Draft model.</param>
/// <param name="draftLength">Tokens drafted per round.</param>
/// <param name="requests">Generations; edge i starts with the i-th and goes round.</param>
/// <param name="promptsPerEdge">Generations of each edge.</param>
internal sealed class ServerBench(
    ServerProcess server,
    LanguageModel draft,
    int draftLength,
    ImmutableArray<GenerationRequest> requests,
    int promptsPerEdge)
{
    private readonly ImmutableArray<int>[] _texts = new ImmutableArray<int>[requests.Length];

    /// <summary>Runs every mode with every number of edges.</summary>
    /// <param name="edgeCounts">Numbers of edges, fewest first.</param>
    /// <param name="progress">Receives a line before each part.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="InvalidOperationException">A text differs from the autoregressive one.</exception>
    public async Task<ImmutableArray<ServerBenchRow>> RunAsync(
        int[] edgeCounts, Action<string> progress, CancellationToken cancellationToken)
    {
        using var verifier = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = server.Address,
            TokenizerFingerprint = draft.Tokenizer.Fingerprint,
            TargetId = server.TargetId,
        });

        // One for each edge: what was not recorded, edges draft at the same time.
        ImmutableArray<ModelDrafter> drafters =
            [.. Enumerable.Range(0, requests.Length / promptsPerEdge).Select(_ => new ModelDrafter(draft))];
        try
        {
            return await RunAsync(verifier, drafters, edgeCounts, progress, cancellationToken);
        }
        finally
        {
            foreach (var drafter in drafters)
            {
                drafter.Dispose();
            }
        }
    }

    private async Task<ImmutableArray<ServerBenchRow>> RunAsync(
        GrpcVerifier verifier,
        ImmutableArray<ModelDrafter> drafters,
        int[] edgeCounts,
        Action<string> progress,
        CancellationToken cancellationToken)
    {
        var rows = ImmutableArray.CreateBuilder<ServerBenchRow>();
        foreach (var mode in ModeNames.Lossless.Where(mode => mode != DecodingMode.Auto))
        {
            progress($"{ModeNames.Of(mode)}: recording {requests.Length} texts and their drafts …");
            var drafts = requests.Select((_, i) => new RecordedDrafts(drafters[i / promptsPerEdge])).ToArray();
            for (var i = 0; i < requests.Length; i++)
            {
                await DecodeAsync(verifier, drafts[i], mode, i, [], [], cancellationToken);
            }

            var first = rows.Count;
            foreach (var edges in edgeCounts)
            {
                progress($"{ModeNames.Of(mode)}: {edges} edges …");
                var row = await RunEdgesAsync(verifier, drafts, mode, edges, cancellationToken);
                var one = rows.Count > first ? rows[first] : row;
                rows.Add(row with { OverOneEdge = row.TokensPerSecond / one.TokensPerSecond });
            }
        }

        return rows.ToImmutable();
    }

    private async Task<ServerBenchRow> RunEdgesAsync(
        GrpcVerifier verifier, RecordedDrafts[] drafts, DecodingMode mode, int edges, CancellationToken cancellationToken)
    {
        List<double>[] perToken = [.. Enumerable.Range(0, edges).Select(_ => new List<double>())];
        List<double>[] firsts = [.. Enumerable.Range(0, edges).Select(_ => new List<double>())];
        var start = TimeProvider.System.GetTimestamp();
        var tokens = await Task.WhenAll(Enumerable.Range(0, edges).Select(edge => Task.Run(
            async () =>
            {
                var count = 0;
                for (var i = 0; i < promptsPerEdge; i++)
                {
                    // Requests of one edge are its own: recorded drafts serve one generation at a time.
                    var index = (edge * promptsPerEdge) + i;
                    count += await DecodeAsync(
                        verifier, drafts[index], mode, index, perToken[edge], firsts[edge], cancellationToken);
                }

                return count;
            },
            cancellationToken)));
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        double[] times = [.. perToken.SelectMany(values => values)];
        return new ServerBenchRow(
            ModeNames.Of(mode),
            edges,
            tokens.Sum(),
            tokens.Sum() / seconds,
            OverOneEdge: 1,
            times.Median(),
            times.Percentile(0.95),
            firsts.SelectMany(values => values).Median());
    }

    private async Task<int> DecodeAsync(
        GrpcVerifier verifier,
        RecordedDrafts drafts,
        DecodingMode mode,
        int index,
        List<double> perToken,
        List<double> firsts,
        CancellationToken cancellationToken)
    {
        var decoder = new EdgeDecoder(verifier, drafts, new EdgeDecoderOptions { DraftLength = draftLength, EndsDraftsEarly = false });
        var text = ImmutableArray.CreateBuilder<int>();
        var last = TimeProvider.System.GetTimestamp();
        await foreach (var round in decoder.GenerateAsync(requests[index] with { Mode = mode }, cancellationToken))
        {
            var now = TimeProvider.System.GetTimestamp();
            var milliseconds = TimeProvider.System.GetElapsedTime(last, now).TotalMilliseconds;
            last = now;
            (text.Count == 0 ? firsts : perToken).AddRange(text.Count == 0
                ? [milliseconds]
                : Enumerable.Repeat(milliseconds / round.Tokens.Length, round.Tokens.Length));
            text.AddRange(round.Tokens);
        }

        if (_texts[index].IsDefault)
        {
            // Autoregressive comes first, one edge alone.
            _texts[index] = text.ToImmutable();
        }
        else if (!_texts[index].SequenceEqual(text))
        {
            throw new InvalidOperationException(
                $"The text of prompt {index} in mode {ModeNames.Of(mode)} differs from the autoregressive one. This is a defect; no speed is reported.");
        }

        return text.Count;
    }
}
