# Hides secrets in every text of an event, however deep it lies: fluentd's own filters reach one named key each.
# It must not fail: fluentd would write the event that made it fail into its own log.
require "fluent/plugin/filter"

module Fluent
  module Plugin
    class HideSecretsFilter < Filter
      Fluent::Plugin.register_filter("hide_secrets", self)

      HIDDEN = "[hidden]".freeze

      # Whatever has such a name is hidden whole. Of a text, what follows the first group of one of the others is.
      config_param :named, :regexp
      config_param :quoted, :regexp
      config_param :assigned, :regexp
      config_param :login, :regexp

      def filter(_tag, _time, record)
        hidden(record)
      end

      private

      def hidden(value)
        case value
        when Hash then value.to_h { |key, inner| named(readable(key), inner) }
        when Array then value.map { |inner| hidden(inner) }
        when String then without_secrets(readable(value))
        else value
        end
      end

      def named(key, value)
        [key, key.match?(@named) ? HIDDEN : hidden(value)]
      end

      def without_secrets(text)
        [@quoted, @assigned, @login].reduce(text) { |found, secret| found.gsub(secret) { "#{$1}#{HIDDEN}" } }
      end

      # Bytes that are no text are an error to a regular expression.
      def readable(value)
        value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
      end
    end
  end
end
