using System.Collections.Concurrent;
using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>Looks at verifications through the target's exits in the middle of a pass, and announces what they expect.
/// Where a core is free, on a thread of its own: the pass never waits for it.</summary>
internal sealed class ExitRunner : IDisposable
{
    private readonly ExitHeads _heads;
    private readonly ExitScratch _scratch;
    private readonly float _threshold;
    private readonly ILogger _logger;
    private readonly ConcurrentBag<ExitLook> _spare = [];
    private readonly BlockingCollection<ExitLook> _queue = [];
    private readonly Thread? _thread;

    /// <summary>Starts the thread if there is a core for it; the caller keeps owning the heads.</summary>
    public ExitRunner(ExitHeads heads, SchedulerOptions options, bool hasCore, ILogger logger)
    {
        _heads = heads;
        _threshold = options.ExitThreshold;
        _logger = logger;
        _scratch = heads.CreateScratch(options.MaxDraftLength + 1, options.MaxDraftLength);
        if (hasCore)
        {
            _thread = new Thread(Work) { IsBackground = true, Name = "Forerun exits" };
            _thread.Start();
        }
    }

    /// <summary>Numbers of layers run at which to look, ascending.</summary>
    public ImmutableArray<int> Layers => _heads.Layers;

    /// <summary>What a session's announcements are made by.</summary>
    public ExitAnnouncer CreateAnnouncer(GenerationRequest request, GenerationLimits limits) =>
        new(_heads, request.Sampling, limits);

    /// <summary>Looks at a verification whose pass has run as many layers as the exit wants.</summary>
    /// <param name="exit">Index into <see cref="Layers"/>.</param>
    /// <param name="pass">The running pass.</param>
    /// <param name="batch">Its batch.</param>
    /// <param name="verification">One of the batch, with a draft and an announcer.</param>
    public void Look(int exit, ForwardPass pass, ForwardBatch batch, LocalVerification verification)
    {
        if (!_spare.TryTake(out var look))
        {
            look = new ExitLook();
        }

        look.Take(exit, pass, batch, verification);
        if (_thread is null)
        {
            Announce(look);
        }
        else
        {
            _queue.Add(look);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread?.Join();
        _queue.Dispose();
        _scratch.Dispose();
    }

    private void Work()
    {
        foreach (var look in _queue.GetConsumingEnumerable())
        {
            Announce(look);
        }
    }

    private void Announce(ExitLook look)
    {
        try
        {
            look.Announce(_scratch, _heads.Layers[look.Exit], _threshold);
        }
        catch (Exception exception)
        {
            // An exit is a hint: without it the verdict is the same.
            CloudLog.ExitFailed(_logger, exception);
        }

        _spare.Add(look);
    }
}
