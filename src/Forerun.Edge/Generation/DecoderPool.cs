using System.Threading.Channels;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;

namespace Forerun.Edge.Generation;

/// <summary>Decoders for generations that run at the same time. A drafter serves one generation at a time: the others
/// wait for it in order of arrival, up to a limit. Without drafters nothing waits here. Thread-safe.</summary>
internal sealed class DecoderPool
{
    private readonly Channel<EdgeDecoder> _free = Channel.CreateUnbounded<EdgeDecoder>();
    private readonly EdgeDecoder? _undrafted;
    private readonly int _drafters;
    private readonly int _maxQueued;
    private int _queued;

    public DecoderPool(IVerifier verifier, IReadOnlyList<IDrafter> drafters, EdgeDecoderOptions options, int maxQueued)
    {
        _drafters = drafters.Count;
        _maxQueued = maxQueued;
        _undrafted = drafters.Count == 0 ? new EdgeDecoder(verifier, options: options) : null;
        foreach (var drafter in drafters)
        {
            _free.Writer.TryWrite(new EdgeDecoder(verifier, drafter, options));
        }
    }

    /// <summary>Waits for a decoder; the caller returns it.</summary>
    /// <exception cref="VerifierUnavailableException">Too many are waiting.</exception>
    public async ValueTask<EdgeDecoder> RentAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_undrafted is not null)
        {
            return _undrafted;
        }

        if (_free.Reader.TryRead(out var decoder))
        {
            return decoder;
        }

        try
        {
            if (Interlocked.Increment(ref _queued) > _maxQueued)
            {
                throw Full();
            }

            return await _free.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _queued);
        }
    }

    /// <summary>Gives a decoder back: it goes to who waits longest.</summary>
    public void Return(EdgeDecoder decoder)
    {
        if (_undrafted is null)
        {
            _free.Writer.TryWrite(decoder);
        }
    }

    private VerifierUnavailableException Full() => new(new VerificationError(
        VerificationErrorCode.Overloaded,
        "Too many generations wait for a drafter on this machine. Try again later.",
        $"at most {_drafters} running and {_maxQueued} waiting",
        "one more"));
}
