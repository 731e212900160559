namespace Forerun.Inference.Tokenization;

/// <summary>What a template writes down, with the rules that templates have for it.</summary>
/// <param name="TemplateName">The template, for errors.</param>
/// <param name="Messages">The turns, roles checked.</param>
/// <param name="AddGenerationPrompt">Whether the assistant's next turn is opened.</param>
internal sealed record Conversation(
    string TemplateName, IReadOnlyList<ChatMessage> Messages, bool AddGenerationPrompt)
{
    /// <summary>The role of instructions that stand above the turns.</summary>
    public const string System = "system";

    /// <summary>The role of the person.</summary>
    public const string User = "user";

    /// <summary>The role of the model.</summary>
    public const string Assistant = "assistant";

    /// <summary>The text of the first message, when that is a system message.</summary>
    /// <exception cref="ArgumentException">There is no message at all.</exception>
    public string? FirstSystemText()
    {
        RequireMessages();
        return Messages[0].Role == System ? Messages[0].Content : null;
    }

    /// <summary>For templates that cannot write an empty conversation.</summary>
    /// <exception cref="ArgumentException">There is no message at all.</exception>
    public void RequireMessages()
    {
        if (Messages.Count == 0)
        {
            throw new ArgumentException(
                $"The conversation is empty; the chat template {TemplateName} needs at least one message.");
        }
    }

    /// <summary>Checks the roles.</summary>
    /// <exception cref="ArgumentException">A role is not known.</exception>
    public Conversation Checked()
    {
        for (var i = 0; i < Messages.Count; i++)
        {
            if (Messages[i].Role is not (System or User or Assistant))
            {
                throw new ArgumentException(
                    $"Message {i + 1} has the role \"{Messages[i].Role}\"; expected \"{System}\", \"{User}\" or "
                    + $"\"{Assistant}\".");
            }
        }

        return this;
    }

    /// <summary>The messages from an index on, which must be by user and assistant in turn, user first.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public IEnumerable<ChatMessage> Alternating(int start)
    {
        for (var i = start; i < Messages.Count; i++)
        {
            var expected = (i - start) % 2 == 0 ? User : Assistant;
            if (Messages[i].Role != expected)
            {
                throw new ArgumentException(
                    $"Message {i + 1} has the role \"{Messages[i].Role}\"; the chat template {TemplateName} expects "
                    + $"\"{expected}\" there: {(start == 0 ? "no system message" : "at most one system message, first")}, "
                    + "then user and assistant in turn.");
            }

            yield return Messages[i];
        }
    }
}
