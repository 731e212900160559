using Forerun.Core.Decoding;
using Forerun.Protocol.V1;

namespace Forerun.Protocol;

/// <summary>The messages of a round and the end of a generation, to and from the wire.</summary>
internal static class RoundMapping
{
    public static EdgeMessage ToMessage(Core.Decoding.Draft draft) => new() { Draft = ToWire(draft) };

    public static EdgeMessage ToMessage(IEnumerable<Core.Decoding.Draft> offered, int draftLength) =>
        new() { Offer = new V1.Offer { Drafts = { offered.Select(ToWire) }, DraftLength = (uint)draftLength } };

    /// <summary>The offered drafts, and the most tokens to verify in one round.</summary>
    /// <exception cref="ProtocolException">A value does not fit.</exception>
    public static (IReadOnlyList<Core.Decoding.Draft> Drafts, int DraftLength) ToOffer(V1.Offer message) =>
        ([.. message.Drafts.Select(ToDraft)], WireNumbers.ToInt(message.DraftLength, "draft_length"));

    public static EdgeMessage ToStreamMessage(int throughRound) =>
        new() { Stream = new V1.Stream { ThroughRound = (uint)throughRound } };

    /// <summary>The last round that needs no draft.</summary>
    /// <exception cref="ProtocolException">The value does not fit.</exception>
    public static int ToThroughRound(V1.Stream message) => WireNumbers.ToInt(message.ThroughRound, "through_round");

    /// <exception cref="ProtocolException">A value does not fit.</exception>
    public static Core.Decoding.Draft ToDraft(V1.Draft message) => new(
        WireNumbers.ToInt(message.Round, "round"),
        WireNumbers.ToInt(message.BasePosition, "base_position"),
        WireNumbers.ToTokens(message.Tokens),
        message.Assumption is not { } assumption
            ? null
            : new Core.Decoding.Assumption(
                WireNumbers.ToInt(assumption.Round, "assumption.round"),
                WireNumbers.ToInt(assumption.AcceptedCount, "assumption.accepted_count"),
                WireNumbers.ToInt(assumption.NextToken, "assumption.next_token")))
    {
        DraftProbs = DraftProbsMapping.ToDraftProbs(message),
    };

    public static CloudMessage ToMessage(VerificationEvent verificationEvent) => verificationEvent switch
    {
        Core.Decoding.Verdict verdict => new CloudMessage { Verdict = ToMessage(verdict) },
        Core.Decoding.Announcement announcement => new CloudMessage { Announcement = ToMessage(announcement) },
        GenerationEnd end => new CloudMessage { End = ToMessage(end) },
        SignOfLife => new CloudMessage { KeepAlive = new V1.KeepAlive() },
        _ => throw new ArgumentException(
            $"{verificationEvent.GetType().Name} is not on the wire.", nameof(verificationEvent)),
    };

    /// <summary>The event in a message; null where the message is none (a newer version's).</summary>
    /// <exception cref="ProtocolException">A value does not fit.</exception>
    public static VerificationEvent? ToEvent(CloudMessage message) => message.KindCase switch
    {
        CloudMessage.KindOneofCase.Verdict => ToVerdict(message.Verdict),
        CloudMessage.KindOneofCase.Announcement => ToAnnouncement(message.Announcement),
        CloudMessage.KindOneofCase.End => ToEnd(message.End),
        CloudMessage.KindOneofCase.KeepAlive => new SignOfLife(),
        _ => null,
    };

    private static V1.Draft ToWire(Core.Decoding.Draft draft)
    {
        var message = new V1.Draft { Round = (uint)draft.Round, BasePosition = (uint)draft.BasePosition };
        WireNumbers.AddTokens(message.Tokens, draft.Tokens);
        message.DraftProbs.AddRange(draft.DraftProbs.Select(DraftProbsMapping.ToMessage));
        if (draft.Assumption is { } assumption)
        {
            message.Assumption = new V1.Assumption
            {
                Round = (uint)assumption.Round,
                AcceptedCount = (uint)assumption.AcceptedCount,
                NextToken = (uint)assumption.NextToken,
            };
        }

        return message;
    }

    private static V1.Verdict ToMessage(Core.Decoding.Verdict verdict)
    {
        var message = new V1.Verdict
        {
            Round = (uint)verdict.Round,
            AcceptedCount = (uint)verdict.AcceptedCount,
            NextToken = (uint)verdict.NextToken,
            QueueMicroseconds = WireNumbers.ToMicroseconds(verdict.Timings.Queue),
            ComputeMicroseconds = WireNumbers.ToMicroseconds(verdict.Timings.Compute),
            IsLast = verdict.IsLast,
            DraftLength = (uint)verdict.DraftLength,
        };
        WireNumbers.AddTokens(message.AcceptedTokens, verdict.AcceptedTokens);
        message.Logprobs.AddRange(verdict.LogProbabilities.Select(LogprobsMapping.ToMessage));
        return message;
    }

    private static Core.Decoding.Verdict ToVerdict(V1.Verdict message) => new(
        WireNumbers.ToInt(message.Round, "round"),
        WireNumbers.ToInt(message.AcceptedCount, "accepted_count"),
        WireNumbers.ToInt(message.NextToken, "next_token"),
        new ServerTimings(
            TimeSpan.FromMicroseconds(message.QueueMicroseconds),
            TimeSpan.FromMicroseconds(message.ComputeMicroseconds)),
        message.IsLast)
    {
        AcceptedTokens = WireNumbers.ToTokens(message.AcceptedTokens),
        DraftLength = WireNumbers.ToInt(message.DraftLength, "draft_length"),
        LogProbabilities = LogprobsMapping.ToLogProbabilities(message.Logprobs),
    };

    private static V1.Announcement ToMessage(Core.Decoding.Announcement announcement) => new()
    {
        Round = (uint)announcement.Round,
        ExitLayer = (uint)announcement.ExitLayer,
        AcceptedCount = (uint)announcement.AcceptedCount,
        NextToken = (uint)announcement.NextToken,
        Confidence = announcement.Confidence,
    };

    private static Core.Decoding.Announcement ToAnnouncement(V1.Announcement message) => new(
        WireNumbers.ToInt(message.Round, "round"),
        WireNumbers.ToInt(message.ExitLayer, "exit_layer"),
        WireNumbers.ToInt(message.AcceptedCount, "accepted_count"),
        WireNumbers.ToInt(message.NextToken, "next_token"),
        message.Confidence);

    private static End ToMessage(GenerationEnd end) => new()
    {
        Reason = end.Reason switch
        {
            FinishReason.Stop => EndReason.Stop,
            FinishReason.Length => EndReason.Length,
            _ => EndReason.ContextFull,
        },
        Usage = new V1.Usage
        {
            PromptTokens = (uint)end.Usage.PromptTokens,
            OutputTokens = (uint)end.Usage.OutputTokens,
            Rounds = (uint)end.Usage.Rounds,
            TargetPasses = (uint)end.Usage.TargetPasses,
            DraftedTokens = (uint)end.Usage.DraftedTokens,
            AcceptedTokens = (uint)end.Usage.AcceptedTokens,
            ReusedPromptTokens = (uint)end.Usage.ReusedPromptTokens,
            ComputeMicroseconds = (ulong)(end.Usage.Compute.Ticks / TimeSpan.TicksPerMicrosecond),
            QueuedDrafts = (uint)end.Usage.QueuedDrafts,
            MatchedDrafts = (uint)end.Usage.MatchedDrafts,
        },
    };

    private static GenerationEnd ToEnd(End message)
    {
        var usage = message.Usage ?? new V1.Usage();
        return new GenerationEnd(ToReason(message.Reason), new Core.Decoding.Usage
        {
            PromptTokens = WireNumbers.ToInt(usage.PromptTokens, "prompt_tokens"),
            OutputTokens = WireNumbers.ToInt(usage.OutputTokens, "output_tokens"),
            Rounds = WireNumbers.ToInt(usage.Rounds, "rounds"),
            TargetPasses = WireNumbers.ToInt(usage.TargetPasses, "target_passes"),
            DraftedTokens = WireNumbers.ToInt(usage.DraftedTokens, "drafted_tokens"),
            AcceptedTokens = WireNumbers.ToInt(usage.AcceptedTokens, "accepted_tokens"),
            ReusedPromptTokens = WireNumbers.ToInt(usage.ReusedPromptTokens, "reused_prompt_tokens"),
            Compute = TimeSpan.FromTicks(
                (long)Math.Min(usage.ComputeMicroseconds, long.MaxValue / TimeSpan.TicksPerMicrosecond)
                * TimeSpan.TicksPerMicrosecond),
            QueuedDrafts = WireNumbers.ToInt(usage.QueuedDrafts, "queued_drafts"),
            MatchedDrafts = WireNumbers.ToInt(usage.MatchedDrafts, "matched_drafts"),
        });
    }

    private static FinishReason ToReason(EndReason reason) => reason switch
    {
        EndReason.Stop => FinishReason.Stop,
        EndReason.Length => FinishReason.Length,
        EndReason.ContextFull => FinishReason.ContextFull,
        _ => throw new ProtocolException(
            VerificationErrorCode.BadMessage, "The end's reason is unknown.", "1, 2 or 3", $"{(int)reason}"),
    };
}
