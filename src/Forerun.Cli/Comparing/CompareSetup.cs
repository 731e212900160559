using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Links;
using Forerun.Inference;

namespace Forerun.Cli.Comparing;

/// <summary>What a comparison runs on: this process is the edge, the server a process of its own.</summary>
/// <param name="server">The server.</param>
/// <param name="targetPath">The target's file.</param>
/// <param name="draft">Drafts in every cell.</param>
/// <param name="settings">What is compared.</param>
internal sealed class CompareSetup(
    ServerProcess server, string targetPath, DraftSource draft, CompareSettings settings)
{
    /// <summary>The request of a planned cell.</summary>
    public GenerationRequest Request(PlannedCell planned) => new()
    {
        PromptTokens = Prompt.User(draft.Text, planned.Text, settings.Raw),
        MaxTokens = settings.MaxTokens,
        Mode = planned.Mode,
        DraftLength = planned.Key.DraftLength ?? 0,
        Sampling = planned.Sampling,
    };

    /// <summary>Connects to the server over a link; plain loopback needs no relay.</summary>
    public CompareEdge Connect(LinkProfile profile)
    {
        var link = profile == LinkProfile.Loopback ? null : new LinkRelay(server.Address, profile, settings.LinkSeed);
        var verifier = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = link?.Address ?? server.Address,
            TokenizerFingerprint = draft.Tokenizer.Fingerprint,
            TargetId = server.TargetId,
        });
        var options = new EdgeDecoderOptions { EndsDraftsEarly = !settings.WholeDrafts };
        return new CompareEdge(verifier, draft.Drafter, options, draft.Tokenizer, server.TargetId, link);
    }

    /// <summary>Runs the target in this process on the texts that differ.</summary>
    public Difference Explain(PlannedCell planned, Cell baseline, Cell cell)
    {
        using var target = LanguageModel.Load(targetPath);
        return Difference.Of(baseline, cell, Request(planned).PromptTokens, target);
    }
}
