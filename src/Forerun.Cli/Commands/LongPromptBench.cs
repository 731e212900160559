using System.Collections.Immutable;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;

namespace Forerun.Cli.Commands;

/// <summary>How long edges wait for their verdicts while the server reads a long prompt; without drafts, so that a verdict
/// is one pass.</summary>
/// <param name="verifier">The server.</param>
/// <param name="prompt">The long prompt.</param>
/// <param name="requests">What the others generate; each must last as long as the prompt is read.</param>
internal sealed class LongPromptBench(
    IVerifier verifier, ImmutableArray<int> prompt, ImmutableArray<GenerationRequest> requests)
{
    /// <summary>Runs the others alone, then beside the prompt.</summary>
    /// <param name="edges">How many others.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="InvalidOperationException">A text differs, or the others were done before the prompt was.
    /// </exception>
    public async Task<LongPromptRow> RunAsync(int edges, CancellationToken cancellationToken)
    {
        var (alone, expected) = await DecodeAllAsync(edges, new Countdown(edges), cancellationToken);
        var begun = new Countdown(edges);
        var others = DecodeAllAsync(edges, begun, cancellationToken);
        await begun.Task.WaitAsync(cancellationToken);
        var start = TimeProvider.System.GetTimestamp();
        var generation = await new EdgeDecoder(verifier).CompleteAsync(
            Autoregressive(new GenerationRequest { PromptTokens = prompt, MaxTokens = 1 }), cancellationToken);
        var end = TimeProvider.System.GetTimestamp();
        if (others.IsCompleted)
        {
            throw new InvalidOperationException("The others were done before the prompt was read: nothing is measured.");
        }

        var (beside, texts) = await others;
        if (!texts.Zip(expected).All(pair => pair.First.SequenceEqual(pair.Second)))
        {
            throw new InvalidOperationException("A text differs beside a long prompt. This is a defect; no time is reported.");
        }

        var waits = beside.Where(wait => wait.Start >= start && wait.End <= end).ToArray();
        return new LongPromptRow(
            edges,
            prompt.Length,
            generation.End.Usage.TargetPasses,
            TimeProvider.System.GetElapsedTime(start, end).TotalMilliseconds,
            alone.Select(wait => wait.Milliseconds).Median(),
            waits.Select(wait => wait.Milliseconds).Median(),
            waits.Max(wait => wait.Milliseconds),
            waits.Max(wait => wait.Compute.TotalMilliseconds),
            waits.Max(wait => wait.Queue.TotalMilliseconds));
    }

    private static GenerationRequest Autoregressive(GenerationRequest request) =>
        request with { Mode = DecodingMode.Autoregressive, IgnoreEndTokens = true };

    private async Task<(Wait[] Waits, ImmutableArray<int>[] Texts)> DecodeAllAsync(
        int edges, Countdown begun, CancellationToken cancellationToken)
    {
        var results = await Task.WhenAll(requests.Take(edges).Select(
            request => Task.Run(() => DecodeAsync(request, begun, cancellationToken), cancellationToken)));
        return ([.. results.SelectMany(result => result.Waits)], [.. results.Select(result => result.Text)]);
    }

    private async Task<(List<Wait> Waits, ImmutableArray<int> Text)> DecodeAsync(
        GenerationRequest request, Countdown begun, CancellationToken cancellationToken)
    {
        var waits = new List<Wait>();
        var text = ImmutableArray.CreateBuilder<int>();
        var last = 0L;
        await foreach (var round in new EdgeDecoder(verifier).GenerateAsync(Autoregressive(request), cancellationToken))
        {
            var now = TimeProvider.System.GetTimestamp();
            if (round.Round == 1)
            {
                begun.Signal();
            }
            else
            {
                waits.Add(new Wait(last, now, round.ServerTimings.Compute, round.ServerTimings.Queue));
            }

            last = now;
            text.AddRange(round.Tokens);
        }

        return (waits, text.ToImmutable());
    }

    /// <summary>From one verdict to the next.</summary>
    private readonly record struct Wait(long Start, long End, TimeSpan Compute, TimeSpan Queue)
    {
        public double Milliseconds => TimeProvider.System.GetElapsedTime(Start, End).TotalMilliseconds;
    }

    /// <summary>Completes when everybody has signalled.</summary>
    private sealed class Countdown(int count)
    {
        private readonly TaskCompletionSource _zero = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count = count;

        public Task Task => _zero.Task;

        public void Signal()
        {
            if (Interlocked.Decrement(ref _count) == 0)
            {
                _zero.SetResult();
            }
        }
    }
}
