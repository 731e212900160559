using Forerun.Core.Decoding;

namespace Forerun.Cloud;

/// <content>KV caches under the budget: prefixes are shared, idle caches give way, the oldest generation always gets on.
/// All of it under the lock, between passes.</content>
public sealed partial class VerificationScheduler
{
    /// <summary>Sessions whose cache is empty start with the longest prefix that any other cache holds.</summary>
    private void AdoptPrefixes()
    {
        if (!_options.ReusePrefixes)
        {
            return;
        }

        foreach (var verification in _ready)
        {
            var session = verification.Session;
            if (session.CachedTokens.IsEmpty && session.PrefillRows > 0)
            {
                AdoptPrefix(session);
            }
        }
    }

    private void AdoptPrefix(TargetSession session)
    {
        var tokens = session.TokensWithRoom(0)[..session.PrefillRows];
        var (cache, length) = _kept.Find(tokens);
        foreach (var other in _sessions)
        {
            var common = tokens.CommonPrefixLength(other.Session.CachedTokens);
            (cache, length) = common > length ? (other.Session.Cache, common) : (cache, length);
        }

        if (cache is not null)
        {
            session.Adopt(cache, length);
        }
    }

    /// <summary>Drops caches until the bytes fit: first those of generations that are over, then those of sessions that
    /// wait for their edge, least recently used first.</summary>
    /// <param name="verification">Who needs them; its own target cache stays.</param>
    /// <param name="bytes">How many it needs; asked again after each drop, which may end the sharing of a page.</param>
    /// <param name="force">Drop also the caches of younger generations that wait for a pass.</param>
    private bool MakeRoom(LocalVerification verification, Func<LocalVerification, long> bytes, bool force = false)
    {
        while (!_budget.Fits(bytes(verification)))
        {
            if (!_kept.DropOldest() && !DropIdle(verification) && !(force && (DropWaiting(verification) || DropDrafting(verification))))
            {
                return false;
            }
        }

        return true;
    }

    private bool DropIdle(LocalVerification except) => Drop(_sessions
        .Where(session => session != except && !session.IsReady && !session.IsRunning && session.HoldsMemory)
        .MinBy(session => session.LastUsed));

    private bool DropWaiting(LocalVerification except) => Drop(_ready
        .Where(session => session != except && session.HoldsMemory)
        .MaxBy(session => session.Number));

    private static bool DropDrafting(LocalVerification verification)
    {
        var held = verification.Drafting?.Bytes > 0;
        verification.Drafting?.DropCache();
        return held;
    }

    private static bool Drop(LocalVerification? verification)
    {
        verification?.DropCaches();
        return verification is not null;
    }

    private VerifierUnavailableException TooLittleMemory(int positions) => new(new VerificationError(
        VerificationErrorCode.Overloaded,
        "The server's memory for KV caches is too small for this generation. Shorten it, or give the server more.",
        $"{_budget.Bytes} bytes or less",
        $"{positions} positions of {_target.KvBytesPerPosition} bytes each"));
}
