using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Exits;

namespace Forerun.Cloud;

/// <summary>What one exit sees of one verification: copies, for the pass goes on. Reusable.</summary>
internal sealed class ExitLook
{
    private LocalVerification? _verification;
    private float[] _hidden = [];
    private int[] _tokens = [];
    private ImmutableArray<SparseDistribution> _draftProbs = [];
    private int _hiddenLength;
    private int _tokenCount;
    private int _basePosition;
    private int _round;

    /// <summary>Index of the exit.</summary>
    public int Exit { get; private set; }

    /// <summary>Copies the verified rows' hidden states and the session's tokens.</summary>
    public void Take(int exit, ForwardPass pass, ForwardBatch batch, LocalVerification verification)
    {
        var session = verification.Session;
        var tokens = session.VerifiedTokens;
        (Exit, _verification, _round, _basePosition) =
            (exit, verification, verification.DecidedRounds + 1, session.CommittedLength);
        _draftProbs = session.DraftProbs;
        _tokenCount = tokens.Length;
        Fit(ref _tokens, tokens.Length);
        tokens.CopyTo(_tokens);
        _hiddenLength = 0;
        for (var row = 0; row <= tokens.Length - _basePosition; row++)
        {
            var hidden = pass.HiddenStates(batch.LogitRows[session.FirstLogitRow + row]);
            Fit(ref _hidden, _hiddenLength + hidden.Length);
            hidden.CopyTo(_hidden.AsSpan(_hiddenLength));
            _hiddenLength += hidden.Length;
        }
    }

    /// <summary>Tells the edge what the exit expects, if it is confident enough and says something new.</summary>
    public void Announce(ExitScratch scratch, int exitLayer, float threshold)
    {
        var provisional = _verification!.Announcer!.Announce(
            scratch,
            Exit,
            _hidden.AsSpan(0, _hiddenLength),
            _tokens.AsSpan(0, _tokenCount),
            _basePosition,
            _draftProbs.AsSpan());
        if (provisional.Confidence >= threshold)
        {
            _verification.Announce(new Announcement(
                _round, exitLayer, provisional.AcceptedCount, provisional.NextToken, provisional.Confidence));
        }

        _verification = null;
    }

    private static void Fit<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            Array.Resize(ref array, Math.Max(length, array.Length * 2));
        }
    }
}
