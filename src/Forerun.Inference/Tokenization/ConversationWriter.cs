namespace Forerun.Inference.Tokenization;

/// <summary>Collects what a template writes, and remembers which parts come from messages. One caller at a time.</summary>
/// <param name="beginText">The text of the file's begin token; empty when it has none.</param>
/// <param name="endText">The text of the file's end token; empty when it has none.</param>
internal sealed class ConversationWriter(string beginText, string endText)
{
    private readonly List<TextPart> _parts = [];

    /// <summary>What was written so far.</summary>
    public IReadOnlyList<TextPart> Parts => _parts;

    /// <summary>Writes the begin token.</summary>
    public ConversationWriter Begin() => Template(beginText);

    /// <summary>Writes the end token.</summary>
    public ConversationWriter End() => Template(endText);

    /// <summary>Writes text of the template, in which control tokens are tokens.</summary>
    public ConversationWriter Template(string text)
    {
        _parts.Add(new TextPart(text, IsContent: false));
        return this;
    }

    /// <summary>Writes text of a message, in which control tokens are plain text.</summary>
    public ConversationWriter Content(string text)
    {
        _parts.Add(new TextPart(text, IsContent: true));
        return this;
    }
}
