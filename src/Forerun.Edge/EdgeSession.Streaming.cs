using Forerun.Core.Decoding;

namespace Forerun.Edge;

/// <content>Rounds that the target decodes by itself, in a session that also drafts.</content>
internal sealed partial class EdgeSession
{
    private DecodingChoice _streamed = DecodingChoice.Streaming;
    private int _streamedThrough;

    private bool IsStreaming => _choice.Mode.IsStreamed();

    private bool IsOffering => _choice.Mode == DecodingMode.Asynchronous;

    private bool IsRehearsing => IsStreaming && _rehearsal is { IsRunning: true };

    /// <summary>How this round is decoded. Where it is streamed, the target is told in good time not to wait for drafts; what
    /// it was told cannot be taken back.</summary>
    private async ValueTask ChooseAsync(CancellationToken cancellationToken)
    {
        _choice = _policy.Next();
        if (_rehearsal is null)
        {
            return;
        }

        var streams = IsStreaming;
        if (_sent is not null)
        {
            _choice = streams ? new(DecodingMode.Speculative, _sent.Tokens.Length) : _choice;
        }
        else if (!streams && _round <= _streamedThrough)
        {
            _choice = _streamed;
        }

        var inFlight = _policy.RoundsInFlight;
        if (streams && _streamedThrough < _round + inFlight)
        {
            _streamedThrough = _round + inFlight + _policy.RoundsPerGrant;
            await _verification.StreamAsync(_streamedThrough, cancellationToken).ConfigureAwait(false);
        }

        _streamed = IsStreaming ? _choice : _streamed;
        if (!IsStreaming || IsOffering)
        {
            _rehearsal.End(_trunk);
        }
        else if (!_rehearsal.IsRunning)
        {
            _rehearsal.Begin(_trunk, DraftLengthAt(_position));
        }

        if (IsOffering)
        {
            _offers!.Begin(_trunk, _choice.DraftLength, _verification.RoundTripTime ?? TimeSpan.Zero);
        }
    }
}
