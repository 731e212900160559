using Forerun.Edge.Links;

namespace Forerun.EndToEndTests;

/// <summary>What the run over the prompt sets covers.</summary>
public class PromptSetPlanTests
{
    [Fact]
    public void Cases_EveryMode_MeetsEveryLengthSamplingAndLink()
    {
        var lengths = Enumerable.Range(1, PromptSetPlan.DraftLengths);
        foreach (var mode in PromptSetPlan.Lossless)
        {
            Assert.All(
                from length in lengths from isSampled in new[] { false, true } select (length, isSampled),
                cell => Assert.InRange(
                    PromptSetPlan.Cases.Count(prompt => (prompt.DraftLength(mode), prompt.IsSampled) == cell), 10, 10));
            Assert.All(
                from length in lengths from link in LinkProfile.Named select (length, link),
                cell => Assert.Contains(PromptSetPlan.Cases, prompt => (prompt.DraftLength(mode), prompt.Link) == cell));
        }

        Assert.Equal(160, PromptSetPlan.Cases.Select(prompt => prompt.Prompt).Distinct().Count());
    }
}
