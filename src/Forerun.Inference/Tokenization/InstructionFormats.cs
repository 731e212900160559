namespace Forerun.Inference.Tokenization;

/// <summary>What the templates of Llama-2 and Mistral write: turns between <c>[INST]</c> and <c>[/INST]</c>.</summary>
internal static class InstructionFormats
{
    /// <summary>Llama-2: every user turn begins with the begin token, spaces around a turn are removed.</summary>
    public static void Llama2(Conversation conversation, ConversationWriter writer)
    {
        var system = conversation.FirstSystemText();
        foreach (var message in conversation.Alternating(start: system is null ? 0 : 1))
        {
            if (message.Role == Conversation.Assistant)
            {
                writer.Template(" ").Content(PythonText.Strip(message.Content)).Template(" ").End();
                continue;
            }

            writer.Begin().Template("[INST] ");
            WriteLlama2User(system, message.Content, writer);
            writer.Template(" [/INST]");
            system = null;
        }
    }

    /// <summary>The first templates of Mistral-7B-Instruct, without a system message.</summary>
    /// <param name="afterEnd">What follows the end token of an assistant turn.</param>
    public static ChatFormat Mistral(string afterEnd) => (conversation, writer) =>
    {
        writer.Begin();
        foreach (var message in conversation.Alternating(start: 0))
        {
            _ = message.Role == Conversation.User
                ? writer.Template("[INST] ").Content(message.Content).Template(" [/INST]")
                : writer.Content(message.Content).End().Template(afterEnd);
        }
    };

    /// <summary>The later templates, with a system message in a user turn.</summary>
    /// <param name="open">What opens a user turn.</param>
    /// <param name="close">What closes it.</param>
    /// <param name="systemIsLast">Whether the system message stands in the last message, if that is by the user;
    /// otherwise in the first one.</param>
    public static ChatFormat MistralWithSystem(string open, string close, bool systemIsLast) => (conversation, writer) =>
    {
        var system = conversation.FirstSystemText();
        var start = system is null ? 0 : 1;
        var index = start;
        writer.Begin();
        foreach (var message in conversation.Alternating(start))
        {
            var holdsSystem = index++ == (systemIsLast ? conversation.Messages.Count - 1 : start);
            if (message.Role == Conversation.Assistant)
            {
                writer.Template(" ").Content(message.Content).End();
                continue;
            }

            writer.Template(open);
            if (system is not null && holdsSystem)
            {
                writer.Content(system).Template("\n\n");
            }

            writer.Content(message.Content).Template(close);
        }
    };

    /// <summary>Spaces are removed around the turn, the system message included.</summary>
    private static void WriteLlama2User(string? system, string content, ConversationWriter writer)
    {
        if (system is null)
        {
            writer.Content(PythonText.Strip(content));
            return;
        }

        var end = PythonText.StripEnd(content);
        writer.Template("<<SYS>>\n").Content(system);
        writer.Template(end.Length == 0 ? "\n<</SYS>>" : "\n<</SYS>>\n\n").Content(end);
    }
}
